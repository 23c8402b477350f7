import type { Step } from '../../machines/ports/event-log.ts'
import { fairPage } from '../shared/fair-page.ts'
import { isOutOfRange, Unanswered } from './errors.ts'
import type { Slice } from './protocol/fetch.ts'
import { decode, type JournalRecord, parseStep } from './records.ts'
import { judge, missedClaim, type Reached } from './rule.ts'
import type { Wire } from './wire.ts'

/** Of each partition in one round. */
const ROUND_BYTES = 256 * 1024
const REPLAY_BYTES = 8 * 1024 * 1024
/** The broker holds a replay's question this long when it has nothing yet. */
const REPLAY_WAIT_MS = 100
/** A broker that says that there is more, and gives nothing, is asked again this often. */
const EMPTY_MAX = 50
/** Readers of one partition stand at a few places, mostly near its end. */
const CURSORS_MAX = 16

/** A place in a journal from which a reader can go on: what counts behind it follows from `reached`. */
interface Cursor {
  readonly offset: number
  readonly reached: Reached
  /** The last step before it; 0 when none is known. */
  readonly step: number
}

/** A step that counts, and the place behind it. */
interface Counted {
  readonly step: Step
  readonly behind: Cursor
}

/** How far one question for the steps behind a number has come in a partition. */
interface Reading {
  readonly after: number
  cursor: Cursor
  /** Of this question, not remembered from one before. */
  isFromStart: boolean
  behind: Counted[]
}

/** Reads journals for everybody who asks by step number. */
export class Journal {
  readonly #topic: string
  readonly #wire: Wire
  readonly #cursors = new Map<number, Cursor[]>()
  readonly #trimmed = new Map<number, number>()

  constructor(topic: string, wire: Wire) {
    this.#topic = topic
    this.#wire = wire
  }

  /** Steps up to this number are not answered any more, also where they are still there. */
  noteTrimmed(partition: number, upTo: number): void {
    this.#trimmed.set(partition, Math.max(upTo, this.#trimmed.get(partition) ?? 0))
  }

  /** See `EventLog.journal`. A partition whose leader does not answer brings nothing this time. */
  async after(after: ReadonlyMap<number, number>, limit: number): Promise<Step[]> {
    const readings = await this.#begin(after)
    const open = new Map(readings)
    let empty = 0
    // Rounds until something was found: records that do not count, or were read before, may fill one.
    while (open.size > 0) {
      const places = [...open].map(([partition, { cursor }]) => ({
        topic: this.#topic,
        partition,
        offset: cursor.offset,
      }))
      const { slices, refused } = await this.#wire.fetchEach(places, { waitMs: 0, bytes: ROUND_BYTES })
      if (refused.length === 0 && isEmpty(slices) && ++empty > EMPTY_MAX)
        throw new Unanswered(`nothing comes of ${this.#topic}`)
      for (const { partition, error } of refused) {
        if (isOutOfRange(error)) await this.#beginAnew(partition, open)
        else if (refused.length === places.length) throw error
        else open.delete(partition)
      }
      for (const slice of slices) {
        const reading = open.get(slice.partition)
        if (reading === undefined) continue
        // All of one answer's bytes may have gone to others: then the partition is asked again.
        if (slice.records.length === 0 && slice.end <= slice.offset) open.delete(slice.partition)
        if (!this.#read(slice, reading)) await this.#beginAnew(slice.partition, open)
      }
      const found = [...readings.values()].flatMap(({ behind }) => behind)
      if (found.reduce((sum, { step }) => sum + step.facts.length, 0) >= limit) break
    }
    return this.#choose(readings, limit)
  }

  /** From the nearest known place before each number, or the journal's beginning. */
  async #begin(after: ReadonlyMap<number, number>): Promise<Map<number, Reading>> {
    const nearest = [...after].map(([partition, number]) => {
      const known = (this.#cursors.get(partition) ?? []).filter(({ step }) => step <= number)
      return { partition, number, cursor: known.toSorted((one, other) => other.offset - one.offset)[0] }
    })
    const bounds = nearest.some(({ cursor }) => cursor === undefined) ? await this.#wire.bounds(this.#topic) : []
    return new Map(
      nearest.map(({ partition, number, cursor }) => {
        const start = { ...START, offset: bounds[partition]?.start ?? 0 }
        return [partition, { after: number, cursor: cursor ?? start, isFromStart: cursor === undefined, behind: [] }]
      }),
    )
  }

  /** The journal is not the one that was read: what is known of it is forgotten. */
  async #beginAnew(partition: number, open: ReadonlyMap<number, Reading>): Promise<void> {
    this.#cursors.delete(partition)
    const cursor = { ...START, offset: (await this.#wire.boundsOf(this.#topic, partition)).start }
    const reading = open.get(partition)
    if (reading !== undefined) Object.assign(reading, { cursor, isFromStart: true, behind: [] })
  }

  /** False when the reading cannot stand where it does: a claim that it did not see took the place of what it read. */
  #read({ partition, records }: Slice, reading: Reading): boolean {
    const readUpTo = Math.max(reading.after, this.#trimmed.get(partition) ?? 0)
    for (const record of records.map(decode)) {
      const { cursor } = reading
      if (!reading.isFromStart && missedClaim(cursor.reached, record.mark)) return false
      const reached = judge(cursor.reached, record.mark)
      reading.cursor = { ...cursor, offset: record.offset + 1, reached: reached ?? cursor.reached }
      if (reached === null) continue
      if (record.kind === 'trim') this.noteTrimmed(partition, record.body().upTo)
      if (record.kind !== 'commit') continue
      const { step } = record.body()
      if (step === null) continue
      reading.cursor = { ...reading.cursor, step: step.number }
      if (step.number > readUpTo) reading.behind.push({ step: parseStep(step), behind: reading.cursor })
    }
    this.#remember(partition, reading.cursor, reading.after)
    return true
  }

  /** Every record from an offset (null: the first that is there) up to and with another. @throws when it ends before. */
  async *records(partition: number, from: number | null, upTo: number): AsyncIterable<JournalRecord> {
    const limits = { waitMs: REPLAY_WAIT_MS, bytes: REPLAY_BYTES }
    let offset = from ?? (await this.#start(partition))
    let empty = 0
    while (offset <= upTo) {
      const slices = await this.#wire.fetch([{ topic: this.#topic, partition, offset }], limits)
      const [slice] = slices
      if (slice !== undefined && slice.records.length === 0 && slice.end <= upTo)
        throw new Error(`the journal of partition ${partition} ends at ${slice.end}, before ${upTo}`)
      if (isEmpty(slices) && ++empty > EMPTY_MAX)
        throw new Unanswered(`nothing comes of partition ${partition} of ${this.#topic} behind ${offset}`)
      for (const record of slice?.records ?? []) if (record.offset <= upTo) yield decode(record)
      offset = (slice?.records.at(-1)?.offset ?? offset - 1) + 1
    }
  }

  async #start(partition: number): Promise<number> {
    return (await this.#wire.boundsOf(this.#topic, partition)).start
  }

  /** Only places that the reader may come back to: behind what it has read, or behind what it was handed. */
  #remember(partition: number, cursor: Cursor, readUpTo: number): void {
    if (cursor.step > readUpTo) return
    const others = (this.#cursors.get(partition) ?? []).filter(({ step }) => step !== cursor.step)
    this.#cursors.set(partition, [cursor, ...others].slice(0, CURSORS_MAX))
  }

  #choose(readings: ReadonlyMap<number, Reading>, limit: number): Step[] {
    const lines = [...readings.values()].map(({ behind }) => behind)
    const chosen = fairPage(lines, ({ step }) => step.facts.length, limit)
    for (const { step, behind } of chosen.flatMap((steps) => steps.at(-1) ?? []))
      this.#remember(step.partition, behind, step.number)
    return chosen.flat().map(({ step }) => step)
  }
}

const isEmpty = (slices: readonly Slice[]): boolean => slices.every(({ records }) => records.length === 0)

const START: Cursor = { offset: 0, reached: null, step: 0 }
