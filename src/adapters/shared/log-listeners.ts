type Listener = () => void

/** What happened in a log, for those in this process who wait for it. */
export interface LogNews {
  /** Calls back when there may be messages for the partition. */
  onArrival(partition: number, listener: Listener): () => void
  onGrowth(listener: Listener): () => void
  onLeases(listener: Listener): () => void
  close(): Promise<void>
}

/** Who listens to a log in this process, and what they are told. Each `on…` answers what ends it. */
export class LogListeners implements Omit<LogNews, 'close'> {
  readonly #arrivals = new Map<number, Set<Listener>>()
  readonly #growth = new Set<Listener>()
  readonly #leases = new Set<Listener>()

  onArrival(partition: number, listener: Listener): () => void {
    const listeners = this.#arrivals.get(partition) ?? new Set()
    this.#arrivals.set(partition, listeners)
    return added(listeners, listener)
  }

  onGrowth(listener: Listener): () => void {
    return added(this.#growth, listener)
  }

  onLeases(listener: Listener): () => void {
    return added(this.#leases, listener)
  }

  /** Whether anybody waits for messages or steps. */
  get any(): boolean {
    return this.#growth.size > 0 || [...this.#arrivals.values()].some((listeners) => listeners.size > 0)
  }

  /** Hears what the log's processes tell one another: `journal`, `leases`, or `inbox` with the partitions' numbers. */
  hear(text: string): void {
    const [topic, partitions = ''] = text.split(' ')
    if (topic === 'journal') call(this.#growth)
    if (topic === 'leases') call(this.#leases)
    if (topic !== 'inbox') return
    for (const partition of partitions.split(',')) call(this.#arrivals.get(Number(partition)) ?? [])
  }

  /** Anything may have happened while nothing was heard. */
  callAll(): void {
    for (const listeners of [this.#growth, this.#leases, ...this.#arrivals.values()]) call(listeners)
  }
}

const call = (listeners: Iterable<Listener>): void => {
  for (const listener of listeners) listener()
}

const added = (listeners: Set<Listener>, listener: Listener) => {
  listeners.add(listener)
  return () => {
    listeners.delete(listener)
  }
}
