import { type Backoff, backoffMs } from '../../machines/policy.ts'
import type { Clock } from '../../machines/ports/environment.ts'
import type { PoseModelEvent } from '../../machines/pose-model.ts'
import { EngineProcess } from './engine-process.ts'
import type { EngineOptions } from './messages.ts'

/** From a second to a minute: a try costs most of a second of a core. */
const restart: Backoff = { firstMs: 1_000, maxMs: 60_000 }
/** An engine that is not ready by then will not be. */
const START_MAX_MS = 60_000

/** What a slot tells its pool. */
export interface SlotEvents {
  readonly tell: (event: PoseModelEvent) => void
  /** The engine takes its first picture. */
  readonly serve: (engine: EngineProcess) => void
  /** The engine is gone. */
  readonly gone: (engine: EngineProcess, reason: string) => void
}

/** Keeps one engine process running until the signal aborts. */
export class Slot {
  readonly #options: EngineOptions
  readonly #events: SlotEvents
  readonly #clock: Clock
  readonly #random: () => number
  #engine: EngineProcess | null = null
  /** Engines in a row that ended without an answer to any picture. */
  #failures = 0

  constructor(options: EngineOptions, events: SlotEvents, { clock, random }: { clock: Clock; random: () => number }) {
    this.#options = options
    this.#events = events
    this.#clock = clock
    this.#random = random
  }

  /** Called for each picture that the slot's engine answered: it is sound, so its end is no reason to wait with the next. */
  answered(engine: EngineProcess): void {
    if (engine === this.#engine) this.#failures = 0
  }

  /** Runs one engine after the other. Never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    signal.addEventListener('abort', () => this.#engine?.end('the pool closes'), { once: true })
    while (!signal.aborted) {
      const engine = new EngineProcess(this.#options)
      this.#engine = engine
      this.#events.tell({ type: 'engine.started' })
      const wasReady = await this.#becomesReady(engine)
      const reason = await engine.ended
      const waitMs = wasReady && this.#failures === 0 ? 0 : backoffMs(restart, this.#failures, this.#random())
      this.#failures++
      this.#events.tell({ type: 'engine.ended', wasReady, reason, again: waitMs === 0 ? 'at_once' : 'later' })
      this.#events.gone(engine, reason)
      await this.#clock.sleep(waitMs, signal)
    }
  }

  async #becomesReady(engine: EngineProcess): Promise<boolean> {
    const over = new AbortController()
    void this.#clock.sleep(START_MAX_MS, over.signal).then(() => {
      if (!over.signal.aborted) engine.end(`not ready within ${START_MAX_MS} ms`)
    })
    try {
      const backend = await engine.ready
      this.#events.tell({ type: 'engine.ready', backend })
      this.#events.serve(engine)
      return true
    } catch {
      // Why it ended is said by `ended`.
      return false
    } finally {
      over.abort()
    }
  }
}
