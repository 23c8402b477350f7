import type { Clock } from '../../machines/ports/environment.ts'
import type { RedisConnection, Subscription } from './connection.ts'
import type { LogKeys } from './keys.ts'
import type { PartitionCalls } from './partition-calls.ts'
import { reachEach } from './reach.ts'

type Listener = () => void

/** What happened in the log, by message and, for all partitions together, by a look every few seconds. */
export interface LogNews {
  /** Calls back when there may be messages for the partition. */
  onArrival(partition: number, listener: Listener): () => void
  onGrowth(listener: Listener): () => void
  onLeases(listener: Listener): () => void
  close(): Promise<void>
}

interface Listeners {
  readonly arrivals: Map<number, Set<Listener>>
  readonly growth: Set<Listener>
  readonly leases: Set<Listener>
}

interface NewsParts {
  readonly redis: RedisConnection
  readonly calls: PartitionCalls
  readonly keys: LogKeys
  readonly partitions: number
  readonly clock: Clock
  readonly pollMs: number
}

/** Starts to listen, and to look every `pollMs` in case a message was lost. */
export const openNews = async (parts: NewsParts): Promise<LogNews> => {
  const listeners: Listeners = { arrivals: new Map(), growth: new Set(), leases: new Set() }
  const closing = new AbortController()
  const subscription = await parts.redis.subscribe(
    parts.keys.channel,
    (text) => spread(listeners, text),
    () => callAll(listeners),
  )
  const polling = poll(parts, listeners, subscription, closing.signal)
  return {
    onArrival: (partition, listener) => {
      const set = listeners.arrivals.get(partition) ?? new Set()
      listeners.arrivals.set(partition, set)
      return added(set, listener)
    },
    onGrowth: (listener) => added(listeners.growth, listener),
    onLeases: (listener) => added(listeners.leases, listener),
    close: async () => {
      closing.abort()
      await subscription.close()
      await polling
    },
  }
}

const added = (set: Set<Listener>, listener: Listener) => {
  set.add(listener)
  return () => {
    set.delete(listener)
  }
}

/** Texts are `journal`, `leases`, or `inbox` with the partitions' numbers. */
const spread = ({ arrivals, growth, leases }: Listeners, text: string): void => {
  const [topic, partitions = ''] = text.split(' ')
  if (topic === 'journal') for (const listener of growth) listener()
  if (topic === 'leases') for (const listener of leases) listener()
  if (topic !== 'inbox') return
  for (const partition of partitions.split(','))
    for (const listener of arrivals.get(Number(partition)) ?? []) listener()
}

const callAll = ({ arrivals, growth, leases }: Listeners): void => {
  for (const set of [growth, leases, ...arrivals.values()]) for (const listener of set) listener()
}

type Place = readonly [number: string, lastId: string]
const NOTHING: Place = ['', '']

/** Looks as long as somebody listens. An outage shows where the log is really used; a silent subscription is replaced. */
const poll = async (
  { calls, partitions, clock, pollMs }: NewsParts,
  listeners: Listeners,
  subscription: Subscription,
  closing: AbortSignal,
): Promise<void> => {
  const all = Array.from({ length: partitions }, (_, partition) => ({ partition, args: [] }))
  let before: readonly Place[] = []
  let asked: Promise<void> | null = null
  while (!closing.aborted) {
    await clock.sleep(pollMs, closing)
    if (closing.aborted) return
    // Not waited for: on a dead connection the answer takes as long as the connection may be silent.
    asked ??= subscription
      .ping()
      .catch(() => undefined)
      .finally(() => {
        asked = null
      })
    if (listeners.growth.size === 0 && listeners.arrivals.size === 0) continue
    const looks = await reachEach<Place>(calls, 'look', [], all, { clock, ms: pollMs }).catch((): Place[] => [])
    const places = looks.map((place, partition) => place ?? before[partition] ?? NOTHING)
    const hasMoved = (of: 0 | 1) => (place: Place, partition: number) => place[of] !== before[partition]?.[of]
    const arrived = places.flatMap((place, partition) => (hasMoved(1)(place, partition) ? [partition] : []))
    if (arrived.length > 0) spread(listeners, `inbox ${arrived.join(',')}`)
    if (places.some(hasMoved(0))) spread(listeners, 'journal')
    if (places.length > 0) before = places
  }
}
