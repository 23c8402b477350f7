import { Heap } from './heap.ts'

export interface Queued {
  /** Unique among all that is queued. */
  readonly id: string
  readonly tenant: string
  /** Waiting since, ms since the epoch: oldest first within a tenant. */
  readonly since: number
}

/** What waits of one tenant, oldest first. */
interface Line<Item> {
  readonly tenant: string
  readonly heap: Heap<Item>
}

/**
 * Round robin over tenants, oldest first within each: a store with 10,000 queued sessions does not delay another's first.
 * Costs O(log n) per item.
 */
export class FairQueue<Item extends Queued> {
  readonly #lines = new Map<string, Line<Item>>()
  readonly #turns = new Turns<Line<Item>>()
  /** What is really queued: an item that was removed or replaced stays in its heap until it surfaces there. */
  readonly #live = new Map<string, Item>()

  get size(): number {
    return this.#live.size
  }

  add(item: Item): void {
    this.#live.set(item.id, item)
    const { tenant } = item
    const known = this.#lines.get(tenant)
    if (known !== undefined) return known.heap.push(item)
    const line = { tenant, heap: new Heap<Item>(since, item) }
    this.#lines.set(tenant, line)
    this.#turns.add(line)
  }

  remove(id: string): void {
    this.#live.delete(id)
  }

  /** Takes out what waits of one tenant, oldest first. */
  takeOut(tenant: string): Item[] {
    const heap = this.#lines.get(tenant)?.heap
    const items: Item[] = []
    for (let item = heap && this.#popLive(heap); item !== undefined; item = heap && this.#popLive(heap))
      items.push(item)
    return items
  }

  next(): Item | undefined {
    for (let line = this.#turns.take(); line !== undefined; line = this.#turns.take()) {
      const item = this.#popLive(line.heap)
      if (line.heap.size > 0) this.#turns.add(line)
      else this.#lines.delete(line.tenant)
      if (item !== undefined) return item
    }
    return undefined
  }

  #popLive(heap: Heap<Item>): Item | undefined {
    for (let item = heap.pop(); item !== undefined; item = heap.pop()) {
      if (this.#live.get(item.id) !== item) continue
      this.#live.delete(item.id)
      return item
    }
    return undefined
  }
}

const since = (queued: Queued): number => queued.since

/** First in, first out. A `Map` that is emptied from its front would be walked over all that was there before. */
class Turns<Item extends object> {
  #items: Item[] = []
  #first = 0

  add(item: Item): void {
    this.#items.push(item)
  }

  take(): Item | undefined {
    const item = this.#items[this.#first]
    if (item === undefined) return undefined
    this.#first++
    // Half at a time, so that each is moved once.
    if (this.#first > this.#items.length / 2) {
      this.#items = this.#items.slice(this.#first)
      this.#first = 0
    }
    return item
  }
}
