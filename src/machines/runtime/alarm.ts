import type { Clock } from '../ports/environment.ts'
import { Heap } from './heap.ts'

/** So many entries of things that are not set any more are no reason to build the heap anew. */
const STALE_MAX = 1_000

/**
 * The due times of many things behind one sleeping timer: `ring` is called when something is due. Setting an id again
 * moves it. Nothing here is durable: it is filled again from the sessions' own `retryAt` after a restart.
 */
export class Alarm {
  readonly #clock: Clock
  readonly #ring: () => void
  readonly #dueAt = new Map<string, number>()
  #heap = new Heap<{ id: string; at: number }>((entry) => entry.at)
  #sleeping: { until: number; abort: AbortController } | null = null

  constructor(clock: Clock, ring: () => void) {
    this.#clock = clock
    this.#ring = ring
  }

  set(id: string, at: number): void {
    if (this.#dueAt.get(id) === at) return
    this.#dueAt.set(id, at)
    if (this.#heap.size > 2 * this.#dueAt.size + STALE_MAX) this.#compact()
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

  /** Drops the entries of what was cleared or moved, which otherwise stay until they come first. */
  #compact(): void {
    this.#heap = new Heap<{ id: string; at: number }>((entry) => entry.at)
    for (const [id, at] of this.#dueAt) this.#heap.push({ id, at })
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
