import type { Clock } from '../ports/environment.ts'
import { Heap } from './heap.ts'

/**
 * The due times of many things behind one sleeping timer: `ring` is called when something is due. Setting an id again
 * moves it. Nothing here is durable: it is filled again from the sessions' own `retryAt` after a restart.
 */
export class Alarm {
  readonly #clock: Clock
  readonly #ring: () => void
  readonly #dueAt = new Map<string, number>()
  readonly #heap = new Heap<{ id: string; at: number }>((entry) => entry.at)
  #sleeping: { until: number; abort: AbortController } | null = null

  constructor(clock: Clock, ring: () => void) {
    this.#clock = clock
    this.#ring = ring
  }

  set(id: string, at: number): void {
    if (this.#dueAt.get(id) === at) return
    this.#dueAt.set(id, at)
    this.#heap.push({ id, at })
    this.#sleepUntilFirst()
  }

  clear(id: string): void {
    this.#dueAt.delete(id)
  }

  /** Takes what is due, at most `limit`. */
  take(nowMs: number, limit: number): string[] {
    const due: string[] = []
    for (let first = this.#heap.peek(); first !== undefined && due.length < limit; first = this.#heap.peek()) {
      const live = this.#dueAt.get(first.id) === first.at
      if (live && first.at > nowMs) break
      this.#heap.pop()
      if (!live) continue
      this.#dueAt.delete(first.id)
      due.push(first.id)
    }
    this.#sleepUntilFirst()
    return due
  }

  stop(): void {
    this.#dueAt.clear()
    this.#sleeping?.abort.abort('moved')
    this.#sleeping = null
  }

  #sleepUntilFirst(): void {
    const first = this.#heap.peek()
    if (first === undefined || this.#dueAt.size === 0) return
    if (this.#sleeping !== null && this.#sleeping.until <= first.at) return
    this.#sleeping?.abort.abort('moved')
    const sleeping = { until: first.at, abort: new AbortController() }
    this.#sleeping = sleeping
    void this.#clock.sleep(Math.max(0, first.at - this.#clock.now()), sleeping.abort.signal).then(() => {
      if (this.#sleeping !== sleeping) return
      this.#sleeping = null
      this.#ring()
    })
  }
}
