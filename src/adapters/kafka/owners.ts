import type { WireRecord } from './protocol/record-batch.ts'

/** Who said last to own a partition; `owner` is null once it was released. */
export interface Notice {
  readonly owner: string | null
  readonly epoch: number
}

/** What the owners' topic says, read up to `next`. */
export class Owners {
  next = 0
  readonly partitions = new Map<number, Notice>()
  /** Members that drain: they hold what they hold, and take no share any more. */
  readonly leaving = new Set<string>()
  /** Consumer groups that registered as readers of the journal: key `reader/<group>`, any value; none removes it. */
  readonly readers = new Set<string>()

  /** Takes records that follow on what was read; answers whether there was something new. */
  take(records: readonly WireRecord[]): boolean {
    const { next } = this
    for (const record of records) if (record.offset >= this.next) this.#apply(record)
    return this.next > next
  }

  #apply({ offset, key, value }: WireRecord): void {
    this.next = offset + 1
    const [kind = '', ...rest] = (key ?? '').split('/')
    const name = rest.join('/')
    const named = { leaving: this.leaving, reader: this.readers }[kind]
    if (value.byteLength > 0) named?.add(name)
    else named?.delete(name)
    if (kind === 'partition') this.#notice(Number(name), JSON.parse(value.toString()) as Notice)
  }

  /** Of two that claimed at once, both see the later epoch alike. */
  #notice(partition: number, notice: Notice): void {
    const known = this.partitions.get(partition)
    if (notice.epoch >= (known?.epoch ?? 0)) this.partitions.set(partition, notice)
  }
}

export const noticeOf = (topic: string, partition: number, notice: Notice) => ({
  topic,
  partition: 0,
  key: `partition/${partition}`,
  value: Buffer.from(JSON.stringify(notice)),
})

/** Says that a member drains, or that it has gone. */
export const leavingOf = (topic: string, member: string, drains: boolean) => ({
  topic,
  partition: 0,
  key: `leaving/${member}`,
  value: drains ? Buffer.from('1') : null,
})

export const noReaderOf = (topic: string, name: string) => ({
  topic,
  partition: 0,
  key: `reader/${name}`,
  value: null,
})
