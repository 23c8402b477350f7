import { TaskSource } from '../../events/task.ts'
import type { Clock } from '../../machines/ports/environment.ts'
import { Fenced, type InboxMessage } from '../../machines/ports/event-log.ts'
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

/** Where the reading of an inbox begins. */
interface InboxStart {
  /** The last message that was consumed; null where none was, or it is not there any more. */
  readonly last: InboxPlace | null
  readonly next: number
  /** How often the connections had changed before it was looked. */
  readonly sureAt: number
}

/**
 * The inbox of one partition, behind the last message that was consumed. Where that message is not there any more, the inbox lost
 * its tail: then all that is in it is handed out, some for the second time, because what was published since may lie anywhere.
 */
export const openInbox = async (at: InboxReading, consumed: InboxPlace | null): Promise<Inbox> => {
  const { held, topic, wire, links, onError } = at
  const { partition } = held
  const sureAt = links.changes
  const last = consumed !== null && (await isThere(anchorAt(at, consumed), wire)) ? consumed : null
  if (consumed !== null && last === null)
    onError(new Error(`${topic} lost its tail: partition ${partition} is read from its beginning`))
  const next = last === null ? (await wire.boundsOf(topic, partition)).start : last.offset + 1
  return new Inbox(at, { last, next, sureAt })
}

/** Asks the broker only when something may have come. */
export class Inbox {
  readonly #at: InboxReading
  readonly #listeners = new Set<() => void>()
  /** The last message that was read. */
  #last: InboxPlace | null
  #next: number
  /** Nothing happened to the connections since it was seen that the last message is there. */
  #sureAt: number
  #ahead: readonly WireRecord[] = []
  #mayHoldMore = true
  /** What came with the news, and how far the inbox reaches by it. */
  #brought: Slice | null = null
  #heardUpTo: number

  constructor(at: InboxReading, { last, next, sureAt }: InboxStart) {
    this.#at = at
    this.#last = last
    this.#next = next
    this.#sureAt = sureAt
    this.#heardUpTo = next
    const { held, news } = at
    held.ended.addEventListener(
      'abort',
      news.onArrival(held.partition, next, (slice) => this.#hear(slice)),
    )
  }

  /** What the reading stands on: the last message that was read. */
  anchors(): readonly Anchor[] {
    return this.#last === null ? [] : [anchorAt(this.#at, this.#last)]
  }

  /** See `PartitionLease.take`. @throws Fenced */
  async take(limit: { readonly messages: number; readonly bytes: number }): Promise<InboxMessage[]> {
    const { held, clock, onError } = this.#at
    held.assertHeld()
    if (this.#ahead.length === 0 && this.#mayHoldMore) {
      // Before the read: what arrives while it runs must not be forgotten.
      this.#mayHoldMore = false
      await untilKnown(held, clock, () => this.#read(), tellPassing(onError)).catch((error: unknown) => {
        this.#mayHoldMore = true
        throw error
      })
    }
    return this.#handOut(limit)
  }

  onArrival(listener: () => void): void {
    this.#listeners.add(listener)
  }

  #handOut(limit: { readonly messages: number; readonly bytes: number }): InboxMessage[] {
    const messages: InboxMessage[] = []
    for (let bytes = 0; messages.length < limit.messages && bytes < limit.bytes; ) {
      const record = this.#ahead[messages.length]
      if (record === undefined) break
      messages.push(messageOf(record))
      bytes += record.value.byteLength
    }
    this.#ahead = this.#ahead.slice(messages.length)
    return messages
  }

  #hear(slice: Slice | undefined): void {
    this.#mayHoldMore = true
    this.#heardUpTo = Math.max(this.#heardUpTo, slice?.end ?? 0)
    if (slice !== undefined && this.#brought?.offset !== this.#next) this.#brought = slice
    for (const listener of this.#listeners) listener()
  }

  async #read(): Promise<void> {
    const brought = this.#brought
    const slice = brought?.offset === this.#next && brought.records.length > 0 ? brought : await this.#fetch()
    await this.#assertUnbroken()
    this.#ahead = slice?.records ?? []
    const newest = this.#ahead.at(-1)
    if (newest !== undefined) this.#last = { offset: newest.offset, print: printOf(newest) }
    this.#next = (newest?.offset ?? this.#next - 1) + 1
    if (slice === undefined || Math.max(slice.end, this.#heardUpTo) > this.#next) this.#mayHoldMore = true
  }

  async #fetch(): Promise<Slice | undefined> {
    const { wire, topic, held } = this.#at
    const place = { topic, partition: held.partition, offset: this.#next }
    try {
      const [slice] = await wire.fetch([place], { waitMs: 0, bytes: FETCH_BYTES })
      return slice
    } catch (error) {
      throw isOutOfRange(error) ? this.#wentBack() : error
    }
  }

  /** What comes next comes behind what was read: else messages that took the place of lost ones would be skipped. */
  async #assertUnbroken(): Promise<void> {
    const { links, wire } = this.#at
    const { changes } = links
    if (changes === this.#sureAt) return
    for (const anchor of this.anchors()) if (!(await isThere(anchor, wire))) throw this.#wentBack()
    this.#sureAt = changes
  }

  #wentBack(): Fenced {
    return new Fenced(`the inbox of partition ${this.#at.held.partition} lost its tail`)
  }
}

const anchorAt = ({ topic, held: { partition } }: InboxReading, { offset, print }: InboxPlace): Anchor => ({
  topic,
  partition,
  offset,
  is: (record) => printOf(record) === print,
})

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
