import type { Clock } from '../../src/machines/ports/environment.ts'
import { START_MS } from './facts.ts'

/** Time that passes only when a test says so, one sleeper after the other in the order of their ends. */
export class VirtualClock implements Clock {
  #now = START_MS
  readonly #sleepers = new Set<{ readonly until: number; readonly wake: () => void }>()

  now(): number {
    return this.#now
  }

  /** How many sleep now: none may be left behind by what has ended. */
  get sleeping(): number {
    return this.#sleepers.size
  }

  /** How long until the next sleeper wakes, in ms; infinite when none sleeps. */
  get nextMs(): number {
    return Math.min(...[...this.#sleepers].map(({ until }) => until)) - this.#now
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted) return Promise.resolve()
    return new Promise((resolve) => {
      const wake = () => {
        this.#sleepers.delete(sleeper)
        signal?.removeEventListener('abort', wake)
        resolve()
      }
      const sleeper = { until: this.#now + ms, wake }
      this.#sleepers.add(sleeper)
      signal?.addEventListener('abort', wake)
    })
  }

  /** Lets time pass. What wakes up runs until it waits again, before time goes on. */
  async advance(ms: number): Promise<void> {
    const end = this.#now + ms
    for (await settled(); ; await settled()) {
      const [next] = [...this.#sleepers].toSorted((one, other) => one.until - other.until)
      if (next === undefined || next.until > end) break
      this.#now = Math.max(this.#now, next.until)
      next.wake()
    }
    this.#now = end
  }
}

/** Resolves when everything that needs no time has run. */
export const settled = (): Promise<void> =>
  new Promise((resolve) => {
    setImmediate(resolve)
  })
