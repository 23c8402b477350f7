import type { Clock } from '../ports/environment.ts'

/** A bucket holds this many seconds of requests. */
const BURST_S = 3

/**
 * This process's share of a fleet-wide limit of requests a minute: a token bucket that fills by the share of the partitions
 * held. It starts empty, so that partitions that move do not bring their requests twice. Refill and burst together stay
 * within the limit in any minute.
 */
export class RateShare {
  readonly #clock: Clock
  readonly #perMinute: number | null
  #share = 0
  #tokens = 0
  #filledAt: number

  /** @param perMinute requests of the whole fleet; null when there is no limit. */
  constructor(perMinute: number | null, clock: Clock) {
    this.#perMinute = perMinute
    this.#clock = clock
    this.#filledAt = clock.now()
  }

  /** @param share held partitions over all partitions, 0..1. */
  setShare(share: number): void {
    this.#fill()
    this.#share = share
    this.#tokens = Math.min(this.#tokens, this.#capacity())
  }

  /** Takes a request's token when there is one. */
  take(): boolean {
    if (this.#perMinute === null) return true
    this.#fill()
    if (this.#tokens < 1) return false
    this.#tokens -= 1
    return true
  }

  /** How long until the next token, in ms; infinite when this process holds no partition; 0 without a limit. */
  waitMs(): number {
    if (this.#perMinute === null) return 0
    this.#fill()
    return Math.max(0, (1 - this.#tokens) / this.#perMs())
  }

  #fill(): void {
    const now = this.#clock.now()
    this.#tokens = Math.min(this.#capacity(), this.#tokens + (now - this.#filledAt) * this.#perMs())
    this.#filledAt = now
  }

  #capacity(): number {
    return this.#share === 0 ? 0 : Math.max(1, ((this.#perMinute ?? 0) * this.#share * BURST_S) / 60)
  }

  #perMs(): number {
    const share = (this.#perMinute ?? 0) * this.#share
    return Math.max(share - this.#capacity(), share / 2) / 60_000
  }
}
