import type { InboxMessage, PartitionLease } from '../../machines/ports/event-log.ts'
import type { HeldLease } from './kept-lease.ts'

interface InboxReading<Start> {
  readonly held: HeldLease<Start>
  /** The last position that was consumed when the lease was granted. */
  readonly from: string
  readonly read: (after: string, limit: Parameters<PartitionLease['take']>[0]) => Promise<InboxMessage[]>
  /** Calls back when something may have come. */
  readonly onArrival: (listener: () => void) => () => void
}

/** Reads an inbox only when something may have come since it was found empty, so that an idle partition costs nothing. */
export const inboxReader = <Start>(reading: InboxReading<Start>): Pick<PartitionLease, 'take' | 'onArrival'> => {
  const { held, read } = reading
  let position = reading.from
  let mayHoldMore = true
  const listeners = new Set<() => void>()
  const stopListening = reading.onArrival(() => {
    mayHoldMore = true
    for (const listener of listeners) listener()
  })
  held.ended.addEventListener('abort', stopListening)
  return {
    take: async (limit) => {
      held.assertHeld()
      if (!mayHoldMore) return []
      // Before the read: what arrives while it runs must not be forgotten.
      mayHoldMore = false
      const messages = await read(position, limit).catch((error: unknown) => {
        mayHoldMore = true
        throw error
      })
      const bytes = messages.reduce((sum, message) => sum + message.bytes.byteLength, 0)
      if (messages.length >= limit.messages || bytes >= limit.bytes) mayHoldMore = true
      position = messages.at(-1)?.position ?? position
      return messages
    },
    onArrival: (listener) => {
      listeners.add(listener)
    },
  }
}
