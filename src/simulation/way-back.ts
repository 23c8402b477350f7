import { parseMessage } from '../events/command.ts'
import type { SessionId } from '../events/ids.ts'
import type { Environment } from '../machines/ports/environment.ts'
import type { EventLog } from '../machines/ports/event-log.ts'
import type { Pauses } from '../machines/ports/pauses.ts'
import type { Platform } from '../machines/ports/platform.ts'
import type { EffectPool } from '../machines/runtime/effect-pool.ts'
import { PauseWatch } from '../machines/runtime/pause-watch.ts'
import { supervise } from '../machines/runtime/supervisor.ts'
import type { WayBack } from '../projections/evidence.ts'
import { HandBack, type Handbacks, type ProducersList } from '../projections/hand-back.ts'

/** A process hears of a pause within so long, unless something breaks. */
const LOOK_MS = 2_000

/** The producers' list: it outlives every process, and knows which tasks were given back to it. */
export class SimulatedList implements ProducersList {
  readonly #marks = new Set<string>()
  readonly #pushes: { sessionId: SessionId; release: number }[] = []
  readonly #tasks = new Map<SessionId, Uint8Array>()

  async giveBack(key: string, task: Uint8Array): Promise<void> {
    if (!this.#marks.has(key)) this.push(key, task)
    this.#marks.add(key)
  }

  push(key: string, task: Uint8Array): void {
    const parsed = parseMessage(task, 'list')
    if (parsed.command !== 'generation.request') throw new Error('what was handed back is no task')
    this.#pushes.push({ sessionId: parsed.sessionId, release: Number(key.split('/')[1]) })
    this.#tasks.set(parsed.sessionId, task)
  }

  /** The sessions whose tasks lie here or were taken by another worker. */
  get others(): SessionId[] {
    return [...this.#tasks.keys()]
  }

  /** Takes a task out, as a bridge of ours does. */
  take(session: SessionId): Uint8Array | null {
    const task = this.#tasks.get(session) ?? null
    this.#tasks.delete(session)
    return task
  }

  evidence(pauses: WayBack['pauses']): WayBack {
    return { pushes: this.#pushes, others: new Set(this.others), pauses }
  }
}

/** What a process knows of pauses and of sessions that leave. */
export const runWayBack = (
  parts: {
    readonly pauses: Pauses
    readonly handbacks: Handbacks
    readonly platform: Platform
    readonly list: ProducersList
    readonly log: EventLog
    readonly env: Environment
  },
  generations: EffectPool,
  signal: AbortSignal,
): void => {
  const { env } = parts
  const watch = new PauseWatch(parts.pauses, env)
  watch.govern(generations)
  const handBack = new HandBack(parts)
  const again = (name: string, look: () => Promise<unknown>) =>
    supervise(
      name,
      async (_alive, stop) => {
        for (; !stop.aborted; await env.clock.sleep(LOOK_MS, stop)) await look()
      },
      env,
      signal,
    )
  again('pauses', () => watch.look())
  again('hand-back', () => handBack.look())
}
