import type { Fact } from '../events/fact.ts'
import type { SessionId } from '../events/ids.ts'
import type { SessionTable } from '../machines/compile.ts'
import { replay, type Snapshot, sessionState } from '../machines/snapshot.ts'
import type { Evidence, Try } from './evidence.ts'

/** A promise of the design that does not hold, for one session or account. */
export interface Violation {
  readonly promise:
    | 'nothing accepted is lost'
    | 'nothing is done twice where it costs money'
    | 'restarting harms nobody'
    | 'order per session'
    | 'one writer'
    | 'tables follow the facts'
    | 'the books balance'
    | 'a pause holds'
  readonly about: string
  readonly what: string
}

export interface InvariantOptions {
  /** Judge also what must only hold once everything came to rest: each session's end, the rows, the balances. */
  readonly atRest: boolean
}

/** Judges the promises of the design on the evidence. Empty when all hold. */
export const violations = (table: SessionTable, evidence: Evidence, { atRest }: InvariantOptions): Violation[] => {
  const sessions = foldAll(table, evidence)
  return [
    ...sessions.broken,
    ...[...evidence.facts].flatMap(([id, facts]) => attemptsCount(id, facts)),
    ...readersSawOneOrder(evidence),
    ...refundedOnce(evidence, sessions.whole),
    ...refundsAreInTheLedger(evidence, sessions.whole),
    ...triesAreOwed(evidence),
    ...onlyOwnersWrite(evidence),
    ...pausesHold(evidence),
    ...pushedOnce(evidence),
    ...(atRest
      ? [
          ...handedOver(evidence, sessions.whole),
          ...ended(table, evidence, sessions.whole),
          ...rowsFollow(evidence, sessions.whole),
          ...balanced(evidence),
        ]
      : []),
  ]
}

const foldAll = (table: SessionTable, { facts }: Evidence) => {
  const whole = new Map<SessionId, Snapshot>()
  const broken: Violation[] = []
  for (const [id, history] of facts) {
    try {
      whole.set(id, replay(table, id, history))
    } catch (error) {
      broken.push({ promise: 'order per session', about: id, what: (error as Error).message })
    }
  }
  return { whole, broken }
}

/** Each outcome belongs to the try that was started last. */
const attemptsCount = (id: SessionId, facts: readonly Fact[]): Violation[] => {
  let started = 0
  const found: Violation[] = []
  for (const fact of facts) {
    if (fact.type === 'generation.started') started = fact.data.attempt
    if (fact.type !== 'generation.completed' && fact.type !== 'generation.deferred') continue
    if (fact.data.attempt === started) continue
    const what = `${fact.type} of attempt ${fact.data.attempt} counted while ${started} was the last`
    found.push({ promise: 'one writer', about: id, what })
  }
  return found
}

/** Whoever reads a session sees its history up to some fact, and later a longer one: nothing is taken back or put in between. */
const readersSawOneOrder = ({ readings, facts }: Evidence): Violation[] =>
  readings.flatMap(({ sessionId, types }) => {
    const history = facts.get(sessionId) ?? []
    if (types.every((type, index) => history[index]?.type === type)) return []
    const what = `a reader saw ${types.join(', ')}, which its facts do not begin with`
    return [{ promise: 'order per session', about: sessionId, what }]
  })

/** We give a credit back once, and none of a session that completed or was settled by hand. */
const refundedOnce = ({ refunds, facts }: Evidence, sessions: ReadonlyMap<SessionId, Snapshot>): Violation[] => {
  const promise = 'nothing is done twice where it costs money'
  const seen = new Set<SessionId>()
  return refunds.flatMap(({ sessionId: about, by }) => {
    const isRepeat = seen.has(about)
    seen.add(about)
    // The platform may give back what we gave back before; that is a difference in the books, and not our doing.
    if (by !== 'us') return []
    const isSettled = facts.get(about)?.some(({ type }) => type === 'refund.settled')
    return [
      ...(isRepeat ? ['its credit was given back again by us'] : []),
      ...(sessions.get(about)?.state === 'completed' ? ['it completed, and we gave its credit back'] : []),
      ...(isSettled ? ['it was settled by hand, and we gave its credit back'] : []),
    ].map((what) => ({ promise, about, what }))
  })
}

const refundsAreInTheLedger = ({ refunds }: Evidence, sessions: ReadonlyMap<SessionId, Snapshot>): Violation[] => {
  const refunded = new Set(refunds.map(({ sessionId }) => sessionId))
  const what = 'it says refunded, and the ledger knows no refund'
  return [...sessions]
    .filter(([id, { state }]) => state === 'refunded' && !refunded.has(id))
    .map(([about]) => ({ promise: 'the books balance', about, what }))
}

/** A try runs only for a durable `generation.started`, once, and not beside another one of the same owner. */
const triesAreOwed = ({ tries, facts }: Evidence): Violation[] => {
  const promise = 'nothing is done twice where it costs money'
  const found: Violation[] = []
  const seen = new Set<string>()
  const byOwner = new Map<string, Try>()
  for (const one of tries) {
    const key = `${one.sessionId}#${one.attempt}`
    const about = one.sessionId
    if (seen.has(key)) found.push({ promise, about, what: `attempt ${one.attempt} ran twice` })
    seen.add(key)
    const durable = facts
      .get(one.sessionId)
      ?.some((f) => f.type === 'generation.started' && f.data.attempt === one.attempt)
    if (durable !== true)
      found.push({ promise, about, what: `attempt ${one.attempt} ran, and no fact says that it started` })
    const before = byOwner.get(`${one.owner}/${one.sessionId}`)
    if (before !== undefined && (before.endedAt === null || before.endedAt > one.startedAt)) {
      found.push({ promise, about, what: `attempts ${before.attempt} and ${one.attempt} ran at once under one owner` })
    }
    byOwner.set(`${one.owner}/${one.sessionId}`, one)
  }
  return found
}

const pausesHold = ({ tries, wayBack }: Evidence): Violation[] =>
  (wayBack?.pauses ?? []).flatMap(({ from, until }) =>
    tries
      .filter(({ startedAt }) => startedAt >= from && startedAt < until)
      .map(({ sessionId, attempt }) => ({
        promise: 'a pause holds' as const,
        about: sessionId,
        what: `attempt ${attempt} began while everything was paused`,
      })),
  )

/** A task is pushed once for each release, and for none that is not a fact. */
const pushedOnce = ({ facts, wayBack }: Evidence): Violation[] => {
  const promise = 'nothing is done twice where it costs money'
  const seen = new Set<string>()
  return (wayBack?.pushes ?? []).flatMap(({ sessionId: about, release }) => {
    const key = `${about}/${release}`
    const isRepeat = seen.has(key)
    seen.add(key)
    if (isRepeat) return [{ promise, about, what: 'its task was handed back twice' }]
    const isReleased = facts.get(about)?.some(({ type, seq }) => type === 'generation.released' && seq === release)
    return isReleased ? [] : [{ promise, about, what: 'its task was handed back, and no fact says so' }]
  })
}

/** What was handed back lies in the list, and what lies there is not worked on here. */
const handedOver = ({ facts, wayBack }: Evidence, sessions: ReadonlyMap<SessionId, Snapshot>): Violation[] => {
  const found: Violation[] = []
  const pushed = new Set(wayBack?.pushes.map(({ sessionId, release }) => `${sessionId}/${release}`))
  for (const [about, { state }] of sessions) {
    const isAway = state === 'handed_back'
    const release = facts.get(about)?.findLast(({ type }) => type === 'generation.released')?.seq
    if (isAway && !(wayBack?.others.has(about) && pushed.has(`${about}/${release}`)))
      found.push({ promise: 'nothing accepted is lost', about, what: 'it was handed back, and its task is nowhere' })
    if (!isAway && wayBack?.others.has(about)) {
      const what = 'its task is with another worker, and it was worked on here'
      found.push({ promise: 'nothing is done twice where it costs money', about, what })
    }
  }
  return found
}

const onlyOwnersWrite = ({ commits }: Evidence): Violation[] =>
  commits
    .filter(({ epoch, owner }) => epoch !== owner)
    .map(({ partition, epoch, owner }) => ({
      promise: 'one writer',
      about: `partition ${partition}`,
      what: `a commit under epoch ${epoch} was accepted while it was owned under ${owner}`,
    }))

const ended = (table: SessionTable, { accepted }: Evidence, sessions: ReadonlyMap<SessionId, Snapshot>): Violation[] =>
  [...accepted].flatMap((id) => {
    const session = sessions.get(id)
    const closed = session !== undefined && table.states.get(session.state)?.closed
    if (closed || session?.state === 'handed_back') return []
    return [{ promise: 'nothing accepted is lost', about: id, what: `it never ended: ${session?.state ?? 'no facts'}` }]
  })

const rowsFollow = ({ rows }: Evidence, sessions: ReadonlyMap<SessionId, Snapshot>): Violation[] =>
  [...sessions].flatMap(([id, session]) => {
    const row = rows.get(id)
    // What was handed back is not ours to write any more: the column is empty, as before it came.
    const state = session.state === 'handed_back' ? null : sessionState(session.state)
    const follows = row?.state === state && (row.seq ?? 0) <= session.seq
    if (row === undefined || follows) return []
    const what = `its row says ${row.state} at ${row.seq}, its facts say ${state} at ${session.seq}`
    return [{ promise: 'tables follow the facts', about: id, what }]
  })

const balanced = ({ balances }: Evidence): Violation[] =>
  balances
    .filter(({ balance, sum }) => balance !== sum)
    .map(({ account, balance, sum }) => ({
      promise: 'the books balance',
      about: account,
      what: `its balance is ${balance}, its transactions add up to ${sum}`,
    }))
