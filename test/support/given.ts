import { expect } from 'vitest'
import type { NewFact } from '../../src/events/fact.ts'
import { type StateName, sessionTable } from '../../src/machines/compile.ts'
import { decide } from '../../src/machines/decide.ts'
import type { Decision, Input } from '../../src/machines/decision.ts'
import { defaultPolicy, type Policy } from '../../src/machines/policy.ts'
import { advance, replay, type Snapshot } from '../../src/machines/snapshot.ts'
import { factAt, history, START_MS, sessionId } from './facts.ts'
import { matching } from './matching.ts'

interface Given {
  readonly session: Snapshot
  /** Time passes before something happens. */
  after(ms: number): Given
  /** The chance for jitter, 0..1; 0.5 unless told. */
  random(chance: number): Given
  policy(changes: Partial<Policy>): Given
  when(input: Input): Then
}

interface Then {
  readonly decision: Decision
  /** Exactly these facts come of it, and the session's machine accepts all of them. Answers the session after them. */
  then(...facts: readonly NewFact[]): Given
  /** It is heard, and brings no fact. */
  thenNothing(): void
  /** It is dropped, for this reason. */
  thenIgnored(reason: Extract<Decision, { ignored: string }>['ignored']): void
  thenRefused(reason: RegExp): void
  /** It brings facts, and the session's machine does not accept the first. */
  thenRefusedByMachine(): void
}

/** Facts that happened to a session: `given(requested(), started()).when(rateLimited()).then(deferred(…))`. */
export const given = (...facts: readonly NewFact[]): Given =>
  from(replay(sessionTable, sessionId, history(...facts)), { nowMs: START_MS, random: 0.5, policy: defaultPolicy })

type Circumstances = Parameters<typeof decide>[2]

const from = (session: Snapshot, circumstances: Circumstances): Given => ({
  session,
  after: (ms) => from(session, { ...circumstances, nowMs: circumstances.nowMs + ms }),
  random: (random) => from(session, { ...circumstances, random }),
  policy: (changes) => from(session, { ...circumstances, policy: { ...circumstances.policy, ...changes } }),
  when: (input) => {
    const decision = decide(session, input, circumstances)
    return {
      decision,
      then: (...facts) => {
        expect(decision).toEqual({ facts })
        return from(accept(session, facts, circumstances.nowMs), circumstances)
      },
      thenNothing: () => expect(decision).toEqual({ facts: [] }),
      thenIgnored: (reason) => expect(decision).toEqual({ ignored: reason }),
      thenRefusedByMachine: () => {
        const [first] = 'facts' in decision ? decision.facts : []
        expect(first).toBeDefined()
        if (first)
          expect(advance(sessionTable, session, factAt(session.seq + 1, first, circumstances.nowMs))).toBeNull()
      },
      thenRefused: (reason) => expect(decision).toEqual({ refused: matching(reason) }),
    }
  },
})

const accept = (session: Snapshot, facts: readonly NewFact[], atMs: number): Snapshot =>
  facts.reduce((current, fact) => {
    const next = advance(sessionTable, current, factAt(current.seq + 1, fact, atMs))
    expect(next, `${fact.type} is accepted in ${current.state}`).not.toBeNull()
    return next ?? current
  }, session)

/** The state that a session is in after these facts. */
export const stateAfter = (...facts: readonly NewFact[]): StateName => given(...facts).session.state
