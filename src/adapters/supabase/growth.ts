import type { Clock } from '../../machines/ports/environment.ts'

/** How soon other processes' facts are seen while they come, and how often an idle process looks. */
const FIRST_MS = 200
const MAX_MS = 2_000

/**
 * Asks again and again for a number that grows, as long as somebody listens: more slowly while it stands still. There is no
 * LISTEN over PostgREST; Realtime would need the archive's table in its publication, open to its role, and a socket that
 * loses what comes while it is down, so that one would have to ask all the same.
 */
export class PolledGrowth {
  readonly #look: () => Promise<number>
  readonly #clock: Clock
  readonly #closing: AbortSignal
  readonly #listeners = new Set<() => void>()
  #polling = false

  constructor(look: () => Promise<number>, clock: Clock, closing: AbortSignal) {
    this.#look = look
    this.#clock = clock
    this.#closing = closing
  }

  /** Calls back after growth until the answer is called. */
  onGrowth(listener: () => void): () => void {
    this.#listeners.add(listener)
    if (!this.#polling) void this.#poll()
    return () => this.#listeners.delete(listener)
  }

  /** This process made it grow itself: nobody has to wait for the next look. */
  grown(): void {
    for (const listener of this.#listeners) listener()
  }

  async #poll(): Promise<void> {
    this.#polling = true
    let pauseMs = FIRST_MS
    // Unknown at first, so that nothing between the call and the first look is missed.
    for (let last: number | null = null; this.#listeners.size > 0; ) {
      await this.#clock.sleep(pauseMs, this.#closing)
      if (this.#closing.aborted) break
      // An outage shows where the store is really used.
      const now = await this.#look().catch(() => last)
      if (now !== last) this.grown()
      pauseMs = now === last ? Math.min(pauseMs * 2, MAX_MS) : FIRST_MS
      last = now
    }
    this.#polling = false
  }
}
