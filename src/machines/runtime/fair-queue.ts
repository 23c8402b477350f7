import { Heap } from './heap.ts'

export interface Queued {
  /** Unique among all that is queued. */
  readonly id: string
  readonly tenant: string
  /** Waiting since, ms since the epoch: oldest first within a tenant. */
  readonly since: number
}

/**
 * Round robin over tenants, oldest first within each: a store with 10,000 queued sessions does not delay another's first.
 * Costs O(log n) per item.
 */
export class FairQueue<Item extends Queued> {
  /** In turn order: the first tenant is served next and goes to the end. */
  readonly #tenants = new Map<string, Heap<Item>>()
  /** What is really queued: an item that was removed or replaced stays in its heap until it surfaces there. */
  readonly #live = new Map<string, Item>()

  get size(): number {
    return this.#live.size
  }

  add(item: Item): void {
    this.#live.set(item.id, item)
    const heap = this.#tenants.get(item.tenant)
    if (heap === undefined) this.#tenants.set(item.tenant, new Heap<Item>(since, item))
    else heap.push(item)
  }

  remove(id: string): void {
    this.#live.delete(id)
  }

  /** Takes out what waits of one tenant, oldest first. */
  takeOut(tenant: string): Item[] {
    const heap = this.#tenants.get(tenant)
    this.#tenants.delete(tenant)
    const items: Item[] = []
    for (let item = heap && this.#popLive(heap); item !== undefined; item = heap && this.#popLive(heap))
      items.push(item)
    return items
  }

  next(): Item | undefined {
    for (const [tenant, heap] of this.#tenants) {
      this.#tenants.delete(tenant)
      const item = this.#popLive(heap)
      if (heap.size > 0) this.#tenants.set(tenant, heap)
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
