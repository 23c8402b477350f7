import type { Clock, Environment, Logger, Meter } from '../machines/ports/environment.ts'
import { onAbort } from '../machines/runtime/signal.ts'
import type { Scheduler } from './scheduler.ts'

/** How often things break, as probabilities per call. All zero: a calm world. */
export interface FaultRates {
  /** The process dies, at any point where it waits. */
  readonly crash: number
  /** The process stands still for a while, as in a long collection or a stopped machine. */
  readonly pause: number
  /** A call is lost before it arrives. */
  readonly lostCall: number
  /** A call arrives long after it was sent: its sender may be dead by then, or own nothing any more. */
  readonly slowCall: number
  /** A call is carried out, and its answer is lost. */
  readonly lostAnswer: number
}

/** The connection broke: whether the call was carried out is unknown. */
export class ConnectionLost extends Error {
  override readonly name = 'ConnectionLost'
}

const PAUSE_MS = { min: 1_000, max: 60_000 }
const SLOW_CALL_MS = { min: 1_000, max: 20_000 }
const CALL_MS = { min: 0.2, max: 5 }

/**
 * One simulated process. Whatever it waits for comes through here, so that it can die or stand still at any wait: a dead
 * process's promises never settle, and a paused one's settle late.
 */
export class Process {
  readonly name: string
  readonly #scheduler: Scheduler
  readonly #rates: () => FaultRates
  readonly #onDeath: () => void
  #alive = true
  #pausedUntil = 0

  constructor(name: string, scheduler: Scheduler, rates: () => FaultRates, onDeath: () => void) {
    this.name = name
    this.#scheduler = scheduler
    this.#rates = rates
    this.#onDeath = onDeath
  }

  get alive(): boolean {
    return this.#alive
  }

  die(): void {
    if (!this.#alive) return
    this.#alive = false
    this.#onDeath()
  }

  readonly clock: Clock = {
    now: () => this.#scheduler.now(),
    sleep: (ms, signal) =>
      new Promise((resolve) => {
        this.#after(ms, resolve)
        if (signal !== undefined) onAbort(signal, resolve)
      }),
  }

  environment(meter: Meter, logger: Logger): Environment {
    const hex = () =>
      Math.floor(this.#scheduler.random() * 2 ** 32)
        .toString(16)
        .padStart(8, '0')
    return {
      clock: this.clock,
      meter,
      logger,
      newId: () => hex() + hex() + hex() + hex(),
      random: this.#scheduler.random,
    }
  }

  /** A call over the network: takes time, and may be lost on the way there or back. The far side outlives the process. */
  call<Value>(operation: () => Promise<Value>): Promise<Value> {
    const travel = () => this.#scheduler.between(CALL_MS.min, CALL_MS.max)
    return new Promise((resolve, reject) => {
      if (!this.#alive) return
      if (this.#scheduler.chance(this.#rates().lostCall)) {
        this.#after(travel(), () => reject(new ConnectionLost('before it arrived')))
        return
      }
      const slow = this.#scheduler.chance(this.#rates().slowCall)
      const arrival = slow ? this.#scheduler.between(SLOW_CALL_MS.min, SLOW_CALL_MS.max) : travel()
      // The request is on its way: it is carried out even when its sender dies meanwhile.
      this.#scheduler.after(arrival, () => {
        const lost = this.#scheduler.chance(this.#rates().lostAnswer)
        operation().then(
          (value) => this.#after(travel(), () => (lost ? reject(new ConnectionLost('the answer')) : resolve(value))),
          (error: unknown) =>
            this.#after(travel(), () => reject(error instanceof Error ? error : new Error(String(error)))),
        )
      })
    })
  }

  #after(ms: number, run: () => void): void {
    this.#scheduler.after(ms, () => this.#resume(run))
  }

  #resume(run: () => void): void {
    if (!this.#alive) return
    const now = this.#scheduler.now()
    if (this.#scheduler.chance(this.#rates().crash)) return this.die()
    if (this.#scheduler.chance(this.#rates().pause))
      this.#pausedUntil = now + this.#scheduler.between(PAUSE_MS.min, PAUSE_MS.max)
    if (this.#pausedUntil > now) this.#scheduler.after(this.#pausedUntil - now, () => this.#resume(run))
    else run()
  }
}
