/** A binary min-heap: the item with the lowest key comes first. */
export class Heap<Item> {
  readonly #items: Item[]
  readonly #key: (item: Item) => number

  /** @param first given at once, it costs a heap of one item a tenth of the memory. */
  constructor(key: (item: Item) => number, ...first: [] | [Item]) {
    this.#key = key
    this.#items = first
  }

  get size(): number {
    return this.#items.length
  }

  peek(): Item | undefined {
    return this.#items[0]
  }

  push(item: Item): void {
    const items = this.#items
    let at = items.push(item) - 1
    while (at > 0) {
      const parent = (at - 1) >> 1
      if (this.#keyAt(parent) <= this.#key(item)) break
      items[at] = items[parent] as Item
      at = parent
    }
    items[at] = item
  }

  pop(): Item | undefined {
    const first = this.#items[0]
    const last = this.#items.pop()
    if (this.#items.length > 0) this.#sink(last as Item)
    return first
  }

  #sink(item: Item): void {
    const items = this.#items
    let at = 0
    for (;;) {
      let child = 2 * at + 1
      if (child >= items.length) break
      if (child + 1 < items.length && this.#keyAt(child + 1) < this.#keyAt(child)) child++
      if (this.#keyAt(child) >= this.#key(item)) break
      items[at] = items[child] as Item
      at = child
    }
    items[at] = item
  }

  #keyAt(index: number): number {
    return this.#key(this.#items[index] as Item)
  }
}
