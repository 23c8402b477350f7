import { describe, expect, it } from 'vitest'
import type { Fact, NewFact } from '../../../src/events/fact.ts'
import { sessionTable } from '../../../src/machines/compile.ts'
import { Refold } from '../../../src/machines/refold.ts'
import {
  completed,
  deferred,
  factAt,
  failed,
  history,
  issued,
  otherSessionId,
  refundRequested,
  requested,
  START_MS,
  sessionId,
  started,
} from '../../support/facts.ts'
import { machineVariant } from '../../support/machine-variant.ts'

const waited: readonly NewFact[] = [
  requested(),
  started(),
  deferred('rate_limited', 1, START_MS),
  started(2),
  completed(2),
]
const gaveUp: readonly NewFact[] = [requested(), started(), failed('moderation_blocked'), refundRequested(), issued()]

/** What the table makes of facts, one after the other. */
const folded = (facts: readonly Fact[], table = sessionTable, whole = true) => {
  const refold = new Refold(table, { whole })
  const changes = facts.map((fact) => refold.take(fact, null)).filter(({ kind }) => kind === 'change')
  return { refold, changes }
}

describe('folding what was recorded anew', () => {
  it('finds nothing where the machine is the one that recorded it, and keeps only what is open', () => {
    const others = [requested(), started()].map((fact, index) => factAt(index + 1, fact, START_MS, otherSessionId))
    const { refold, changes } = folded([...history(...waited), ...others])
    expect(changes).toEqual([])
    expect(refold.sessions).toBe(2)
    expect(refold.open.map(({ id, state }) => [id, state])).toEqual([[otherSessionId, 'processing']])
  })

  it('tells once of a session whose fact a changed machine refuses', () => {
    const impatient = machineVariant(({ processing }) => delete processing?.on['generation.deferred'])
    expect(folded(history(...waited), impatient).changes).toEqual([
      {
        kind: 'change',
        change: { sessionId, seq: 3, fact: 'generation.deferred', kind: 'refused', was: null, now: 'processing' },
      },
    ])
    expect(folded(history(...gaveUp), impatient).changes).toEqual([])
  })

  it('tells where a changed machine leads elsewhere than was recorded', () => {
    const generous = machineVariant(({ processing }) => {
      if (processing !== undefined) processing.on['generation.failed'] = 'completed'
    })
    const refold = new Refold(generous, { whole: true })
    const recorded = ['queued', 'processing', 'failed.open', 'failed.owed', 'refunded']
    const outcomes = history(...gaveUp).map((fact, index) => refold.take(fact, recorded[index] ?? null))
    expect(outcomes.map(({ kind }) => kind)).toEqual(['moved', 'moved', 'change', 'left_out', 'left_out'])
    expect(outcomes[2]).toMatchObject({ change: { kind: 'differs', was: 'failed.open', now: 'completed' } })
  })

  it('refuses a fact behind an end that a changed machine comes to earlier', () => {
    const generous = machineVariant(({ processing }) => {
      if (processing !== undefined) processing.on['generation.failed'] = 'completed'
    })
    for (const whole of [true, false])
      expect(folded(history(...gaveUp), generous, whole).changes).toMatchObject([
        { change: { kind: 'refused', seq: 4, now: 'completed' } },
      ])
  })

  it('notices a missing fact, and leaves out what began before the facts that it was given', () => {
    const [first, , ...rest] = history(...waited)
    expect(folded([first, ...rest].filter((fact) => fact !== undefined)).changes).toMatchObject([
      { change: { kind: 'gap', seq: 3 } },
    ])
    expect(folded(rest, sessionTable, false).changes).toEqual([])
    expect(folded(rest).changes).toMatchObject([{ change: { kind: 'refused', seq: 3, now: null } }])
  })
})
