import { notNoted } from '../events/generation.ts'
import type { SessionId } from '../events/ids.ts'
import type { Generator, MadeImage, NoImage } from '../machines/ports/generator.ts'
import type { Process } from './process.ts'
import type { PlannedSession, ProviderAct } from './scenario.ts'

/** The provider of all processes: it remembers how often it was asked for each session, and acts by the plan. */
export class SimulatedProvider {
  readonly #plans: ReadonlyMap<SessionId, PlannedSession>
  readonly #calls = new Map<SessionId, number>()

  constructor(plans: ReadonlyMap<SessionId, PlannedSession>) {
    this.#plans = plans
  }

  /** The provider as one process reaches it. @param lateMs when an answer comes that nobody waits for any more. */
  of(process: Process, lateMs: number): Generator {
    return {
      name: 'simulated',
      requestsPerMinute: 300,
      generate: async ({ sessionId }, signal) => {
        const act = this.#next(sessionId)
        // A late answer does not heed the signal: it is what an abandoned connection still brings.
        await process.clock.sleep(durationMs(act, lateMs), act.kind === 'late' ? undefined : signal)
        if (act.kind === 'kill') {
          process.die()
          return new Promise<never>(() => {})
        }
        if (act.kind !== 'late') signal.throwIfAborted()
        return answer(act)
      },
    }
  }

  #next(session: SessionId): ProviderAct {
    const calls = this.#calls.get(session) ?? 0
    this.#calls.set(session, calls + 1)
    const acts = this.#plans.get(session)?.acts ?? []
    return acts[Math.min(calls, acts.length - 1)] ?? { kind: 'image', ms: 1_000 }
  }
}

const durationMs = (act: ProviderAct, lateMs: number): number => {
  if (act.kind === 'image') return act.ms
  if (act.kind === 'hang') return Number.MAX_SAFE_INTEGER
  return act.kind === 'late' ? lateMs : 1_000
}

const answer = (act: ProviderAct): MadeImage | NoImage => {
  if (act.kind === 'no') {
    const retryAfterMs = act.retryAfterMs === undefined ? {} : { retryAfterMs: act.retryAfterMs }
    return { code: act.code, detail: 'as planned', ...retryAfterMs }
  }
  return {
    bytes: Uint8Array.of(0xff, 0xd8, 0xff),
    usage: { inputTokens: 1, outputTokens: 1, costUsd: 0.01, byKind: null },
    provenance: { ...notNoted, generator: 'simulated', model: 'simulated-1' },
  }
}
