import type { Clock } from '../../machines/ports/environment.ts'
import { LogListeners, type LogNews } from '../shared/log-listeners.ts'
import type { RedisConnection, Subscription } from './connection.ts'
import type { LogKeys } from './keys.ts'
import type { PartitionCalls } from './partition-calls.ts'
import { reachEach } from './reach.ts'
import { readTold } from './told.ts'

interface NewsParts {
  readonly redis: RedisConnection
  readonly calls: PartitionCalls
  readonly keys: LogKeys
  readonly partitions: number
  readonly clock: Clock
  readonly pollMs: number
  /** Hears of looks that failed; the next one comes all the same. */
  readonly onError: (error: unknown) => void
}

/** Starts to listen, and to look every `pollMs` in case a message was lost. */
export const openNews = async (parts: NewsParts): Promise<LogNews> => {
  const listeners = new LogListeners()
  const closing = new AbortController()
  const subscription = await parts.redis.subscribe(
    parts.keys.channel,
    (text) => {
      const news = readTold(text)
      if (news === null) listeners.hear(text)
      else listeners.tell(news.partition, news.told)
    },
    () => listeners.callAll(),
  )
  const polling = poll(parts, listeners, subscription, closing.signal)
  return {
    onArrival: (partition, listener) => listeners.onArrival(partition, listener),
    onGrowth: (listener) => listeners.onGrowth(listener),
    onLeases: (listener) => listeners.onLeases(listener),
    close: async () => {
      closing.abort()
      await subscription.close()
      await polling
    },
  }
}

/** The journal's last number, and the id of the last message that waits. */
type Place = readonly [number: string, lastWaiting: string]
const NOTHING: Place = ['', '']

/** Looks as long as somebody listens; a silent subscription is replaced. */
const poll = async (
  { calls, partitions, clock, pollMs, onError }: NewsParts,
  listeners: LogListeners,
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
      .catch(onError)
      .finally(() => {
        asked = null
      })
    if (!listeners.any) continue
    const looks = await reachEach<Place>(calls, 'look', [], all, { clock, ms: pollMs }).catch((error: unknown) => {
      onError(error)
      return []
    })
    const places = looks.map((place, partition) => place ?? before[partition] ?? NOTHING)
    const hasMoved = (of: 0 | 1) => (place: Place, partition: number) => place[of] !== before[partition]?.[of]
    const arrived = places.flatMap((place, partition) =>
      place[1] !== '' && hasMoved(1)(place, partition) ? [partition] : [],
    )
    if (arrived.length > 0) listeners.hear(`inbox ${arrived.join(',')}`)
    if (places.some(hasMoved(0))) listeners.hear('journal')
    if (places.length > 0) before = places
  }
}
