import { TaskSource } from '../../events/task.ts'
import type { Clock } from '../../machines/ports/environment.ts'
import { Fenced, type InboxMessage, type PartitionLease } from '../../machines/ports/event-log.ts'
import type { HeldLease } from '../shared/kept-lease.ts'
import { untilKnown } from '../shared/until-known.ts'
import { type Anchor, type InboxPlace, isThere, printOf } from './anchors.ts'
import { isOutOfRange, tellPassing } from './errors.ts'
import type { LeaseStart } from './lease-table.ts'
import type { Links } from './links.ts'
import type { News } from './news.ts'
import type { Slice } from './protocol/fetch.ts'
import type { WireRecord } from './protocol/record-batch.ts'
import type { Wire } from './wire.ts'

/** Read ahead of what is taken. */
const FETCH_BYTES = 1024 * 1024

interface InboxReading {
  readonly held: HeldLease<LeaseStart>
  readonly topic: string
  readonly wire: Wire
  readonly links: Links
  readonly news: News
  readonly clock: Clock
  readonly onError: (error: unknown) => void
}

export interface Inbox extends Pick<PartitionLease, 'take' | 'onArrival'> {
  /** The last message that was read. */
  readonly anchors: () => readonly Anchor[]
}

/**
 * The inbox of one partition, behind the last message that was consumed. Asks the broker only when something may have come.
 * Where that message is not there any more, the inbox lost its tail: then all that is in it is handed out, some for the
 * second time, because what was published since may lie anywhere.
 */
export const openInbox = async (reading: InboxReading, consumed: InboxPlace | null): Promise<Inbox> => {
  const { held, topic, wire, links, news, clock, onError } = reading
  const { partition } = held
  const anchorAt = (place: InboxPlace): Anchor => ({
    topic,
    partition,
    offset: place.offset,
    is: (record) => printOf(record) === place.print,
  })
  let sureAt = links.changes
  let last = consumed !== null && (await isThere(anchorAt(consumed), wire)) ? consumed : null
  if (consumed !== null && last === null)
    onError(new Error(`${topic} lost its tail: partition ${partition} is read from its beginning`))
  let next = last === null ? (await wire.boundsOf(topic, partition)).start : last.offset + 1
  let ahead: readonly WireRecord[] = []
  let mayHoldMore = true
  /** What came with the news, and how far the inbox reaches by it. */
  let brought: Slice | null = null
  let heardUpTo = next
  const listeners = new Set<() => void>()
  const stop = news.onArrival(partition, next, (slice) => {
    mayHoldMore = true
    heardUpTo = Math.max(heardUpTo, slice?.end ?? 0)
    if (slice !== undefined && brought?.offset !== next) brought = slice
    for (const listener of listeners) listener()
  })
  held.ended.addEventListener('abort', stop)
  const anchors = () => (last === null ? [] : [anchorAt(last)])
  const wentBack = () => new Fenced(`the inbox of partition ${partition} lost its tail`)

  /** What comes next comes behind what was read: else messages that took the place of lost ones would be skipped. */
  const assertUnbroken = async () => {
    const { changes } = links
    if (changes === sureAt) return
    for (const anchor of anchors()) if (!(await isThere(anchor, wire))) throw wentBack()
    sureAt = changes
  }
  const fetch = async () => {
    try {
      const [slice] = await wire.fetch([{ topic, partition, offset: next }], { waitMs: 0, bytes: FETCH_BYTES })
      return slice
    } catch (error) {
      throw isOutOfRange(error) ? wentBack() : error
    }
  }
  const read = async () => {
    const slice = brought?.offset === next && brought.records.length > 0 ? brought : await fetch()
    await assertUnbroken()
    ahead = slice?.records ?? []
    const newest = ahead.at(-1)
    if (newest !== undefined) last = { offset: newest.offset, print: printOf(newest) }
    next = (newest?.offset ?? next - 1) + 1
    if (slice === undefined || Math.max(slice.end, heardUpTo) > next) mayHoldMore = true
  }
  return {
    anchors,
    take: async (limit) => {
      held.assertHeld()
      if (ahead.length === 0 && mayHoldMore) {
        // Before the read: what arrives while it runs must not be forgotten.
        mayHoldMore = false
        await untilKnown(held, clock, read, tellPassing(onError)).catch((error: unknown) => {
          mayHoldMore = true
          throw error
        })
      }
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
const messageOf = (record: WireRecord): InboxMessage => ({
  position: `${record.offset}-${printOf(record)}`,
  source: TaskSource.catch('list').parse(record.headers['source']),
  bytes: record.value,
})

/** Where a message's position lies. */
export const placeOf = (position: string): InboxPlace => {
  const [offset = '', ...print] = position.split('-')
  return { offset: Number(offset), print: print.join('-') }
}
