// The one thing of the host's time that virtual time needs: to let settled promises run on before the next event.
// oxlint-disable-next-line no-restricted-imports
import { setImmediate } from 'node:timers/promises'
import { Heap } from '../machines/runtime/heap.ts'

/** A seeded random source: mulberry32 (Tommy Ettinger, public domain). The same seed gives the same numbers anywhere. */
export const seeded = (seed: number): (() => number) => {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

interface Event {
  readonly at: number
  readonly run: () => void
}

/** Virtual time: everything that takes time is an event in one queue, and chance orders what falls together. */
export class Scheduler {
  readonly random: () => number
  #now: number
  readonly #events = new Heap<Event>((event) => event.at)

  constructor(seed: number, startAt: number) {
    this.random = seeded(seed)
    this.#now = startAt
  }

  now(): number {
    return Math.floor(this.#now)
  }

  after(ms: number, run: () => void): void {
    // A fraction of a millisecond of chance: events of one instant come in any order, the same one for the same seed.
    this.#events.push({ at: this.#now + Math.max(0, ms) + this.random() * 0.5, run })
  }

  /** Uniform in [min, max). */
  between(min: number, max: number): number {
    return min + this.random() * (max - min)
  }

  chance(probability: number): boolean {
    return this.random() < probability
  }

  pick<Item>(items: readonly Item[]): Item {
    return items[Math.floor(this.random() * items.length)] as Item
  }

  /** Turns until `done`, the time limit or the last event. Answers whether it was done. */
  async run(done: () => boolean, untilMs: number): Promise<boolean> {
    while (!done()) {
      const event = this.#events.peek()
      if (event === undefined || event.at > untilMs) return false
      this.#events.pop()
      this.#now = event.at
      event.run()
      // Lets every promise that this event settled run to its next wait, so that nothing depends on the host's timing.
      await setImmediate()
    }
    return true
  }
}
