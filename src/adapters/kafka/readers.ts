import { type Admin, Kafka, type KafkaConfig } from 'kafkajs'
import type { JournalReader, JournalReaders } from '../../machines/ports/journal-readers.ts'
import { grouped } from '../shared/grouped.ts'
import { type ReaderPlace, readersOf } from '../shared/reader-places.ts'
import type { News } from './news.ts'
import type { Outbox } from './outbox.ts'
import { noReaderOf } from './owners.ts'
import type { WireRecord } from './protocol/record-batch.ts'
import type { Topics } from './topics.ts'
import type { Wire } from './wire.ts'

/** Of each partition in one look for its next step. */
const LOOK_BYTES = 64 * 1024
/** As many as a log may have. */
const PARTITIONS_MAX = 100_000

/** What every registered reader has behind it: all records before `offset`, and all steps up to `step`. Infinite: everything. */
export interface ReadByAll {
  readonly offset: number
  readonly step: number
}

interface Sources {
  readonly config: KafkaConfig
  readonly topics: Topics
  readonly wire: Wire
  readonly news: News
  readonly outbox: Outbox
}

interface NextStep {
  readonly offset: number
  readonly number: number
  readonly at: string
}

/**
 * Readers are consumer groups named in the owners' topic; their committed offsets on the journal are how far they came. A
 * group without one has read nothing.
 */
export class Readers implements JournalReaders {
  readonly #at: Sources
  #admin: Promise<Admin> | null = null
  /** Owners trim all their partitions at about the same time. */
  readonly readByAll = grouped({
    run: (partitions: readonly number[]) => this.#readByAll(partitions),
    weigh: () => 1,
    weightMax: PARTITIONS_MAX,
    itemsMax: PARTITIONS_MAX,
    isItemsFault: () => false,
  })

  constructor(at: Sources) {
    this.#at = at
  }

  async list(): Promise<JournalReader[]> {
    const names = await this.#names()
    return readersOf((await Promise.all(names.map((name) => this.#places(name)))).flat())
  }

  async remove(name: string): Promise<boolean> {
    const { outbox, topics } = this.#at
    if (!(await this.#names()).includes(name)) return false
    await outbox.send([noReaderOf(topics.owners, name)])
    return true
  }

  async close(): Promise<void> {
    await (await this.#admin)?.disconnect()
  }

  async #names(): Promise<string[]> {
    const { news } = this.#at
    await news.catchUp()
    return [...news.owners.readers]
  }

  async #readByAll(partitions: readonly number[]): Promise<ReadByAll[]> {
    const names = await this.#names()
    if (names.length === 0) return partitions.map(() => ALL)
    const offsets = await Promise.all(names.map((name) => this.#committed(name)))
    const least = partitions.map((partition) => Math.min(...offsets.map((of) => of[partition] ?? 0)))
    const next = await this.#nextSteps(new Map(partitions.map((partition, index) => [partition, least[index] ?? 0])))
    return partitions.map((partition, index) => {
      const step = next.get(partition)
      return { offset: least[index] ?? 0, step: step === undefined ? ALL.step : step.number - 1 }
    })
  }

  async #places(name: string): Promise<ReaderPlace[]> {
    const { wire, topics } = this.#at
    const [bounds, offsets] = await Promise.all([wire.bounds(topics.journal), this.#committed(name)])
    const next = await this.#nextSteps(new Map(bounds.map((_, partition) => [partition, offsets[partition] ?? 0])))
    return bounds.map(({ end }, partition) => {
      const { offset, at } = next.get(partition) ?? { offset: end, at: null }
      return { name, behind: end - offset, waitsSince: at }
    })
  }

  /** The next offset that a group will read of each partition. */
  async #committed(groupId: string): Promise<number[]> {
    const topic = this.#at.topics.journal
    const admin = await this.#connected()
    const [of] = await admin.fetchOffsets({ groupId, topics: [topic] })
    const offsets: number[] = []
    for (const { partition, offset } of of?.partitions ?? []) offsets[partition] = Math.max(Number(offset), 0)
    return offsets
  }

  async #connected(): Promise<Admin> {
    this.#admin ??= (async () => {
      const admin = new Kafka(this.#at.config).admin()
      await admin.connect()
      return admin
    })()
    return this.#admin.catch((error: unknown) => {
      this.#admin = null
      throw error
    })
  }

  /**
   * The first step at or behind an offset of each partition; none where there is no more. One that does not count, because its
   * writer had lost the partition, is taken too: its number is never above that of the next one that does.
   */
  async #nextSteps(from: ReadonlyMap<number, number>): Promise<Map<number, NextStep>> {
    const { wire, topics } = this.#at
    const bounds = await wire.bounds(topics.journal)
    const found = new Map<number, NextStep>()
    const cursors = new Map(
      [...from].map(([partition, at]) => [partition, Math.max(at, bounds[partition]?.start ?? 0)]),
    )
    for (;;) {
      const open = [...cursors].filter(([partition, at]) => !found.has(partition) && at < (bounds[partition]?.end ?? 0))
      if (open.length === 0) return found
      const places = open.map(([partition, offset]) => ({ topic: topics.journal, partition, offset }))
      const slices = await wire.fetch(places, { waitMs: 0, bytes: LOOK_BYTES })
      if (slices.every(({ records }) => records.length === 0)) throw new Error('the journals end before their end')
      for (const { partition, records } of slices) {
        const step = records.find(({ headers }) => headers['step'] !== undefined)
        if (step !== undefined) found.set(partition, nextStepOf(step))
        const last = records.at(-1)
        if (last !== undefined) cursors.set(partition, last.offset + 1)
      }
    }
  }
}

const ALL: ReadByAll = { offset: Number.POSITIVE_INFINITY, step: Number.POSITIVE_INFINITY }

const nextStepOf = ({ offset, value }: WireRecord): NextStep => {
  const { step } = JSON.parse(value.toString()) as { step: { number: number; at: string } }
  return { offset, number: step.number, at: step.at }
}
