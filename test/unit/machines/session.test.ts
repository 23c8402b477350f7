import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { transition } from 'xstate'
import { getSimplePaths } from 'xstate/graph'
import type { Fact, NewFact } from '../../../src/events/fact.ts'
import { type StateName, sessionTable } from '../../../src/machines/compile.ts'
import { type Owed, sessionMachine } from '../../../src/machines/session.ts'
import { advance, replay, type Snapshot, sessionState, unborn } from '../../../src/machines/snapshot.ts'
import * as facts from '../../support/facts.ts'
import { given, stateAfter } from '../../support/given.ts'
import { offers } from '../../support/offers.ts'

const { START_MS, sessionId } = facts
const later = START_MS + 60_000

/** A history that leads to each state. */
const histories: Record<StateName, NewFact[]> = {
  new: [],
  queued: [facts.requested()],
  released: [facts.requested(), facts.released()],
  handed_back: [facts.requested(), facts.released(), facts.handedBack()],
  processing: [facts.requested(), facts.started()],
  completed: [facts.requested(), facts.started(), facts.completed()],
  'failed.open': [facts.requested(), facts.cancelled()],
  'failed.owed': [facts.requested(), facts.cancelled(), facts.refundRequested()],
  'failed.escalated': [facts.requested(), facts.cancelled(), facts.refundRequested(), facts.escalated(1, later)],
  'failed.imported': [facts.imported('failed')],
  'failed.settled': [facts.requested(), facts.cancelled(), facts.refundRequested(), facts.waived()],
  refunded: [facts.requested(), facts.cancelled(), facts.refundRequested(), facts.issued()],
}
const states = Object.keys(histories) as StateName[]

/** Where each fact leads from each state: what is not listed is refused. */
const moves: Record<StateName, string[]> = {
  new: [
    'generation.requested → queued',
    'generation.rejected → failed.open',
    'generation.imported → completed',
    'generation.imported → failed.imported',
  ],
  queued: [
    'generation.started → processing',
    'generation.failed → failed.open',
    'generation.cancelled → failed.open',
    'generation.withdrawn → failed.open',
    'generation.released → released',
  ],
  released: [
    'generation.handed_back → handed_back',
    'generation.withdrawn → failed.open',
    'generation.requested → queued',
  ],
  handed_back: ['generation.requested → queued'],
  processing: [
    'generation.started → processing',
    'generation.deferred → queued',
    'generation.completed → completed',
    'generation.failed → failed.open',
    'generation.cancelled → failed.open',
    'generation.withdrawn → failed.open',
  ],
  completed: [],
  'failed.open': ['refund.requested → failed.owed'],
  'failed.owed': [
    'refund.issued → refunded',
    'refund.retrying → failed.owed',
    'refund.escalated → failed.escalated',
    'refund.waived → failed.settled',
    'refund.settled → failed.settled',
    'refund.settlement_requested → failed.owed',
  ],
  'failed.escalated': [
    'refund.issued → refunded',
    'refund.escalated → failed.escalated',
    'refund.waived → failed.settled',
    'refund.settled → failed.settled',
    'refund.settlement_requested → failed.escalated',
  ],
  'failed.imported': ['refund.approved → failed.owed'],
  'failed.settled': [],
  refunded: [],
}

const offer = (session: Snapshot, fact: NewFact) => advance(sessionTable, session, facts.factAt(session.seq + 1, fact))

const movesFrom = (session: Snapshot): Set<string> => {
  const tried = offers(session.context).map((fact) => ({ fact, next: offer(session, fact) }))
  return new Set(tried.flatMap(({ fact, next }) => (next === null ? [] : [`${fact.type} → ${next.state}`])))
}

describe('a session', () => {
  it.each(states)('gets to %s', (state) => {
    expect(stateAfter(...histories[state])).toBe(state)
    expect(sessionTable.states.has(state)).toBe(true)
  })

  it('has no state but these', () => expect([...sessionTable.states.keys()]).toEqual(expect.arrayContaining(states)))

  it.each(states)('moves from %s by the facts that belong there, and refuses all others', (state) => {
    expect(movesFrom(given(...histories[state]).session)).toEqual(new Set(moves[state]))
  })

  it.each<[StateName, Owed | null]>([
    ['new', null],
    ['queued', 'generation'],
    ['released', null],
    ['handed_back', null],
    ['processing', 'generation'],
    ['completed', null],
    ['failed.open', null],
    ['failed.owed', 'refund'],
    ['failed.escalated', 'refund'],
    ['failed.imported', null],
    ['failed.settled', null],
    ['refunded', null],
  ])('owes in %s: %s', (state, owed) => expect(sessionTable.states.get(state)?.owes).toBe(owed))

  it.each(states)('is closed in %s only when nothing can follow', (state) => {
    expect(sessionTable.states.get(state)?.closed).toBe(moves[state].length === 0)
  })

  it('shows people the first part of its state', () => {
    expect(states.map(sessionState)).toContain('failed')
    expect(sessionState('failed.escalated')).toBe('failed')
    expect(sessionState('queued')).toBe('queued')
    expect([sessionState('released'), sessionState('handed_back')]).toEqual(['queued', 'queued'])
  })

  it('leaves only untouched, takes nothing else on its way than what came back by the list, and may come anew', () => {
    const tried = given(facts.requested(), facts.started(), facts.deferred('rate_limited', 1, later)).session
    expect(offer(tried, facts.released())).toBeNull()
    const { session } = given(facts.requested(), facts.released())
    expect(offer(session, facts.requested({ source: 'http' }))).toBeNull()
    expect(offer(session, facts.started(1))).toBeNull()
    const prompt = 'a red coat'
    const again = offer(session, facts.requested({ source: 'list', prompt }))
    expect(again).toMatchObject({ state: 'queued', seq: 3, context: { attempt: 0, prompt } })
    const away = given(facts.requested({ prompt }), facts.released(), facts.handedBack()).session
    expect(away.context).toMatchObject({ imageUrls: [], prompt: '', attempt: 0 })
    expect(offer(away, facts.requested({ source: 'http', prompt }))).toMatchObject({ state: 'queued', seq: 4 })
  })
})

describe('a try', () => {
  it.each([
    ['an earlier try', facts.completed(1)],
    ['an earlier try that failed', facts.failed('internal', 1)],
    ['an earlier try that waits', facts.deferred('rate_limited', 1, later)],
    ['a try that has not begun', facts.completed(3)],
  ])('does not end by an outcome of %s', (_, outcome) => {
    const { session } = given(facts.requested(), facts.started(1), facts.started(2))
    expect(offer(session, outcome)).toBeNull()
  })

  it.each([0, 1, 3])('of a session in its first one is not followed by number %i', (attempt) => {
    expect(offer(given(facts.requested(), facts.started(1)).session, facts.started(attempt))).toBeNull()
  })

  it('that begins is counted as one that never ended, until it ends', () => {
    const orphans = (...more: NewFact[]) => given(facts.requested(), ...more).session.context.orphans
    expect(orphans(facts.started(1), facts.started(2), facts.started(3))).toBe(3)
    expect(orphans(facts.started(1), facts.started(2), facts.deferred('internal', 2, later))).toBe(0)
  })

  it('that is put off counts as a retry of its own kind', () => {
    const { retries, retryAt } = given(
      facts.requested(),
      facts.started(1),
      facts.deferred('rate_limited', 1, later),
      facts.started(2),
      facts.deferred('internal', 2, later),
      facts.started(3),
      facts.deferred('provider_unavailable', 3, later),
      facts.started(4),
      facts.deferred('storage_failed', 4, later),
    ).session.context
    expect(retries).toEqual({ transient: 2, rate_limited: 1, unknown: 0 })
    expect(retryAt).toBe('2026-01-15T10:01:00.000Z')
  })
})

type Machine = typeof sessionMachine
const xstateOf = ({ state, context }: Snapshot) => {
  const [parent, child] = state.split('.') as [string, string?]
  type Config = Parameters<Machine['resolveState']>[0]
  const value = (child === undefined ? parent : { [parent]: child }) as Config['value']
  return sessionMachine.resolveState({ value, context })
}

/** Offers a fact to the table and to XState; both must say the same. Answers the session after it. */
const offerToBoth = (session: Snapshot, fact: NewFact): Snapshot | null => {
  const before = xstateOf(session)
  const event = facts.factAt(session.seq + 1, fact)
  const next = advance(sessionTable, session, event)
  expect(next !== null, `${fact.type} in ${session.state}`).toBe(before.can(event))
  const [after] = transition(sessionMachine, before, event)
  const expected = xstateOf(next ?? session)
  expect({ value: after.value, context: after.context }).toEqual({ value: expected.value, context: expected.context })
  return next
}

describe('the compiled table', () => {
  it('begins as the machine begins', () => {
    const { state, context } = unborn(sessionTable, sessionId)
    expect(xstateOf({ id: sessionId, seq: 0, state, context }).value).toBe(state)
    expect(context).toEqual(sessionMachine.config.context)
  })

  it.each(states)('says in %s of every fact what XState says', (state) => {
    const { session } = given(...histories[state])
    for (const fact of offers(session.context)) offerToBoth(session, fact)
  })

  it('says the same as XState on any path', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(), { maxLength: 12 }), (choices) => {
        let session = unborn(sessionTable, sessionId)
        for (const choice of choices) {
          const fact = likely(session, choice)
          session = offerToBoth(session, fact) ?? session
        }
      }),
      { numRuns: 100 },
    )
  })
})

/** Mostly a fact that the session accepts, so that paths are long, and sometimes any other. */
const likely = (session: Snapshot, choice: number): NewFact => {
  const all = offers(session.context)
  const accepted = all.filter((fact) => offer(session, fact) !== null)
  const from = choice % 4 === 0 || accepted.length === 0 ? all : accepted
  return from[(choice >> 2) % from.length] as NewFact
}

describe('every simple path', () => {
  const alike = { owner: null, prompt: null, code: null }
  const paths = getSimplePaths(sessionMachine, {
    events: ({ context }) => offers(context).map((fact) => facts.factAt(1, fact)),
    serializeState: ({ value }) => JSON.stringify(value),
    // Facts that only differ in what they say lead to the same state.
    serializeEvent: ({ type, ...event }) => JSON.stringify([type, 'data' in event && { ...event.data, ...alike }]),
  })
  const walks = paths.map(({ steps }) =>
    steps.map(({ event }) => event).filter((event): event is Fact => event.type !== ('xstate.init' as string)),
  )

  it('reaches every state', () => {
    const reached = walks.map((walk) => stateAfter(...walk))
    expect(new Set(reached)).toEqual(new Set(states))
  })

  it('is a history that replays, and goes on from its end only as that state says', () => {
    for (const walk of walks) {
      const { session } = given(...walk)
      expect(movesFrom(session), `after ${walk.map(({ type }) => type).join()}`).toEqual(new Set(moves[session.state]))
    }
  })
})

describe('a history', () => {
  const good = facts.history(facts.requested(), facts.started(), facts.completed())

  it('replays to where it led', () => {
    expect(replay(sessionTable, sessionId, good)).toMatchObject({ id: sessionId, seq: 3, state: 'completed' })
  })

  it.each([
    ['its first fact is missing', good.slice(1)],
    ['a fact in the middle is missing', [good[0], good[2]]],
    ['a fact stands there twice', [good[0], good[0]]],
    ['a fact that it could do without is missing', [good[0], facts.factAt(3, facts.cancelled())]],
    ['its order is wrong', [good[0], good[2], good[1]]],
    ['something follows the end', [...good, facts.factAt(4, facts.cancelled())]],
    ['a fact does not belong there', facts.history(facts.requested(), facts.issued())],
  ])('does not replay when %s', (_, wrong) => {
    expect(() => replay(sessionTable, sessionId, wrong as Fact[])).toThrow(/does not follow/)
  })

  it('never both completes and pays back, and counts without a gap, whatever is offered in whatever order', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(), { maxLength: 25 }), (choices) => {
        let session = unborn(sessionTable, sessionId)
        const journal: Fact[] = []
        for (const choice of choices) {
          const fact = facts.factAt(session.seq + 1, likely(session, choice))
          const next = advance(sessionTable, session, fact)
          if (next !== null) journal.push(fact)
          session = next ?? session
        }
        const ends = new Set(journal.map(({ type }) => type))
        expect(journal.map(({ seq }) => seq)).toEqual(journal.map((_, index) => index + 1))
        expect(ends.has('generation.completed') && ends.has('refund.issued')).toBe(false)
        expect(journal.filter(({ type }) => type === 'refund.issued').length).toBeLessThanOrEqual(1)
        expect(replay(sessionTable, sessionId, journal)).toEqual(session)
      }),
      { numRuns: 200 },
    )
  })
})
