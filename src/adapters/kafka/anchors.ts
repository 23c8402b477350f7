import { crc32 } from 'node:zlib'
import { isOutOfRange } from './errors.ts'
import type { Links } from './links.ts'
import type { WireRecord } from './protocol/record-batch.ts'
import type { Wire } from './wire.ts'

/** A record that was read or written. When it does not lie there any more, its topic lost its tail, and may have grown since. */
export interface Anchor {
  readonly topic: string
  readonly partition: number
  readonly offset: number
  readonly is: (record: WireRecord) => boolean
}

/** A message's place, and what lay there: an inbox that lost its tail gives the same offset to another message. */
export interface InboxPlace {
  readonly offset: number
  readonly print: string
}

/** Tells a record from another one that was given the same offset later. */
export const printOf = ({ timestamp, value }: WireRecord): string => `${timestamp}-${crc32(value).toString(16)}`

/** Whether the record is where it was. */
export const isThere = async ({ topic, partition, offset, is }: Anchor, wire: Wire): Promise<boolean> => {
  try {
    const [slice] = await wire.fetch([{ topic, partition, offset }], { waitMs: 0, bytes: 1 })
    const found = slice?.records.find((record) => record.offset === offset)
    return found !== undefined && is(found)
  } catch (error) {
    if (isOutOfRange(error)) return false
    throw error
  }
}

/**
 * What the leases of this process stand on: an idle one asks for nothing, and has to hear that its topics went back under it.
 * Looked at whenever something happened to the connections.
 */
export class Anchors {
  readonly #links: Links
  readonly #wire: Wire
  readonly #onError: (error: unknown) => void
  readonly #leases = new Map<string, () => readonly Anchor[]>()
  readonly #lost = new Set<string>()
  readonly #listeners = new Set<() => void>()
  #sureAt = 0
  #isLooking = false

  constructor(links: Links, wire: Wire, onError: (error: unknown) => void) {
    this.#links = links
    this.#wire = wire
    this.#onError = onError
  }

  /** Watches over what a lease stands on, by its token, until it ended. */
  watch(token: string, ended: AbortSignal, anchors: () => readonly Anchor[]): void {
    this.#leases.set(token, anchors)
    ended.addEventListener('abort', () => {
      this.#leases.delete(token)
      this.#lost.delete(token)
    })
  }

  /** Whether the lease has lost what it stands on, as far as was looked; looks again when that may have changed. */
  hasLost(token: string): boolean {
    if (this.#links.changes !== this.#sureAt && !this.#isLooking) void this.#look()
    return this.#lost.has(token)
  }

  /** Calls back when a lease was found to have lost what it stands on. */
  onLoss(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  async #look(): Promise<void> {
    this.#isLooking = true
    const { changes } = this.#links
    const looks = [...this.#leases].map(async ([token, anchors]) => {
      for (const anchor of anchors()) if (!(await isThere(anchor, this.#wire))) this.#lose(token, anchor)
    })
    const results = await Promise.allSettled(looks)
    this.#isLooking = false
    // What could not be looked at is looked at again.
    if (results.every(({ status }) => status === 'fulfilled')) this.#sureAt = changes
  }

  #lose(token: string, { topic, partition, offset }: Anchor): void {
    if (!this.#leases.has(token)) return
    this.#lost.add(token)
    for (const listener of this.#listeners) listener()
    this.#onError(new Error(`${topic} lost its tail: record ${offset} of partition ${partition} is not there any more`))
  }
}
