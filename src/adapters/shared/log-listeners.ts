import type { SessionId } from '../../events/ids.ts'
import type { InboxMessage } from '../../machines/ports/event-log.ts'

type Listener = () => void

/** A message that came along with the news of it: the next one behind a position, for a session that was unknown. */
export interface Told {
  /** The journal's last step, and the inbox position, behind which this holds. */
  readonly step: number
  readonly after: string
  readonly sessionId: SessionId
  readonly message: InboxMessage
}

type ArrivalListener = (told: Told | null) => void

/** What happened in a log, for those in this process who wait for it. */
export interface LogNews {
  /** Calls back when there may be messages for the partition, with the message where it came along. */
  onArrival(partition: number, listener: ArrivalListener): () => void
  onGrowth(listener: Listener): () => void
  onLeases(listener: Listener): () => void
  close(): Promise<void>
}

/** Who listens to a log in this process, and what they are told. Each `on…` answers what ends it. */
export class LogListeners implements Omit<LogNews, 'close'> {
  readonly #arrivals = new Map<number, Set<ArrivalListener>>()
  readonly #growth = new Set<Listener>()
  readonly #leases = new Set<Listener>()

  onArrival(partition: number, listener: ArrivalListener): () => void {
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
    for (const partition of partitions.split(',')) this.tell(Number(partition), null)
  }

  /** There may be messages for the partition; the one that came along, if one did, is all that is new. */
  tell(partition: number, told: Told | null): void {
    for (const listener of this.#arrivals.get(partition) ?? []) listener(told)
  }

  /** Anything may have happened while nothing was heard. */
  callAll(): void {
    for (const listeners of [this.#growth, this.#leases]) call(listeners)
    for (const partition of this.#arrivals.keys()) this.tell(partition, null)
  }
}

const call = (listeners: Iterable<Listener>): void => {
  for (const listener of listeners) listener()
}

const added = <One>(listeners: Set<One>, listener: One) => {
  listeners.add(listener)
  return () => {
    listeners.delete(listener)
  }
}
