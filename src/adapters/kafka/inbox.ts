import { TaskSource } from '../../events/task.ts'
import type { InboxMessage, PartitionLease } from '../../machines/ports/event-log.ts'
import type { HeldLease } from '../shared/kept-lease.ts'
import type { LeaseStart } from './lease-table.ts'
import type { News } from './news.ts'
import type { Wire, WireRecord } from './wire.ts'

/** Read ahead of what is taken. */
const FETCH_BYTES = 1024 * 1024

/** The inbox of one partition, from an offset on. Asks the broker only when something may have come. */
export const openInbox = (
  held: HeldLease<LeaseStart>,
  from: number,
  at: { readonly topic: string; readonly wire: Wire; readonly news: News },
): Pick<PartitionLease, 'take' | 'onArrival'> => {
  const { topic, wire, news } = at
  const { partition } = held
  let next = from
  let ahead: readonly WireRecord[] = []
  let mayHoldMore = true
  const listeners = new Set<() => void>()
  const stop = news.onArrival(partition, from, () => {
    mayHoldMore = true
    for (const listener of listeners) listener()
  })
  held.ended.addEventListener('abort', stop)
  const fetch = async () => {
    // Before the read: what arrives while it runs must not be forgotten.
    mayHoldMore = false
    try {
      const [slice] = await wire.fetch([{ topic, partition, offset: next }], { waitMs: 0, bytes: FETCH_BYTES })
      ahead = slice?.records ?? []
      next = (ahead.at(-1)?.offset ?? next - 1) + 1
      if (slice !== undefined && slice.end > next) mayHoldMore = true
    } catch (error) {
      mayHoldMore = true
      throw error
    }
  }
  return {
    take: async (limit) => {
      held.assertHeld()
      if (ahead.length === 0 && mayHoldMore) await fetch()
      const messages: InboxMessage[] = []
      for (let bytes = 0; messages.length < limit.messages && bytes < limit.bytes; ) {
        const record = ahead[messages.length]
        if (record === undefined) break
        messages.push(messageOf(record))
        bytes += record.value.byteLength
      }
      ahead = ahead.slice(messages.length)
      return messages
    },
    onArrival: (listener) => {
      listeners.add(listener)
    },
  }
}

/** Others may write to the topic too, without our header: what they send is a task from outside. */
const messageOf = ({ offset, value, headers }: WireRecord): InboxMessage => ({
  position: `${offset}`,
  source: TaskSource.catch('list').parse(headers['source']),
  bytes: value,
})
