import type { Step } from '../../machines/ports/event-log.ts'
import { decode, type JournalRecord, parseStep } from './records.ts'
import { judge, type Reached } from './rule.ts'
import { isOutOfRange, type Slice, type Wire } from './wire.ts'

/** Of each partition in one round. */
const ROUND_BYTES = 256 * 1024
const REPLAY_BYTES = 8 * 1024 * 1024
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

  /** See `EventLog.journal`. */
  async after(after: ReadonlyMap<number, number>, limit: number): Promise<Step[]> {
    const cursors = await this.#cursorsBefore(after)
    const behind = new Map<number, Counted[]>([...after.keys()].map((partition) => [partition, []]))
    // Rounds until something was found: records that do not count, or were read before, may fill one.
    while (cursors.size > 0) {
      for (const slice of await this.#round(cursors)) {
        const { cursor, counted } = this.#scan(slice, cursors.get(slice.partition) ?? START)
        if (slice.records.length === 0) cursors.delete(slice.partition)
        else cursors.set(slice.partition, cursor)
        this.#remember(slice.partition, cursor, after.get(slice.partition) ?? 0)
        const from = Math.max(after.get(slice.partition) ?? 0, this.#trimmed.get(slice.partition) ?? 0)
        behind.get(slice.partition)?.push(...counted.filter(({ step }) => step.number > from))
      }
      const found = [...behind.values()].flat()
      if (found.reduce((sum, { step }) => sum + step.facts.length, 0) >= limit) break
    }
    return this.#choose(behind, limit)
  }

  /** Every record from an offset (null: the first that is there) up to and with another. */
  async *records(partition: number, from: number | null, upTo: number): AsyncIterable<JournalRecord> {
    let offset = from ?? (await this.#start(partition))
    while (offset <= upTo) {
      const [slice] = await this.#wire.fetch([{ topic: this.#topic, partition, offset }], {
        waitMs: 100,
        bytes: REPLAY_BYTES,
      })
      if (slice !== undefined && slice.records.length === 0 && slice.end <= upTo)
        throw new Error(`the journal of partition ${partition} ends at ${slice.end}, before ${upTo}`)
      for (const record of slice?.records ?? []) if (record.offset <= upTo) yield decode(record)
      offset = (slice?.records.at(-1)?.offset ?? offset - 1) + 1
    }
  }

  async #start(partition: number): Promise<number> {
    return (await this.#wire.bounds(this.#topic))[partition]?.start ?? 0
  }

  async #round(cursors: Map<number, Cursor>): Promise<Slice[]> {
    const places = [...cursors].map(([partition, { offset }]) => ({ topic: this.#topic, partition, offset }))
    try {
      const slices = await this.#wire.fetch(places, { waitMs: 0, bytes: ROUND_BYTES })
      // All of one answer's bytes may have gone to others: then the partition is asked again.
      return slices.filter(({ records, end, offset }) => records.length > 0 || end <= offset)
    } catch (error) {
      if (!isOutOfRange(error)) throw error
      this.#cursors.clear()
      const bounds = await this.#wire.bounds(this.#topic)
      for (const [partition, cursor] of cursors)
        if (cursor.offset < (bounds[partition]?.start ?? 0) || cursor.offset > (bounds[partition]?.end ?? 0))
          cursors.set(partition, { ...START, offset: bounds[partition]?.start ?? 0 })
      return []
    }
  }

  #scan(slice: Slice, from: Cursor): { cursor: Cursor; counted: Counted[] } {
    let cursor = from
    const counted: Counted[] = []
    for (const record of slice.records.map(decode)) {
      const reached = judge(cursor.reached, record.mark)
      cursor = { ...cursor, offset: record.offset + 1, reached: reached ?? cursor.reached }
      if (reached === null) continue
      if (record.kind === 'trim') this.noteTrimmed(slice.partition, record.body().upTo)
      if (record.kind !== 'commit') continue
      const { step } = record.body()
      if (step === null) continue
      cursor = { ...cursor, step: step.number }
      counted.push({ step: parseStep(step), behind: cursor })
    }
    return { cursor, counted }
  }

  /** The nearest known place before each number, or the journal's beginning. */
  async #cursorsBefore(after: ReadonlyMap<number, number>): Promise<Map<number, Cursor>> {
    const nearest = [...after].map(([partition, number]) => {
      const known = (this.#cursors.get(partition) ?? []).filter(({ step }) => step <= number)
      return [partition, known.toSorted((one, other) => other.offset - one.offset)[0]] as const
    })
    const unknown = nearest.some(([, cursor]) => cursor === undefined)
    const bounds = unknown ? await this.#wire.bounds(this.#topic) : []
    return new Map(
      nearest.map(([partition, cursor]) => [partition, cursor ?? { ...START, offset: bounds[partition]?.start ?? 0 }]),
    )
  }

  /** Only places that the reader may come back to: behind what it has read, or behind what it was handed. */
  #remember(partition: number, cursor: Cursor, readUpTo: number): void {
    if (cursor.step > readUpTo) return
    const others = (this.#cursors.get(partition) ?? []).filter(({ step }) => step !== cursor.step)
    this.#cursors.set(partition, [cursor, ...others].slice(0, CURSORS_MAX))
  }

  /** The first step of every partition before the second of any, so that none waits behind a busy one. */
  #choose(behind: ReadonlyMap<number, readonly Counted[]>, limit: number): Step[] {
    const chosen = new Map<number, Counted[]>([...behind.keys()].map((partition) => [partition, []]))
    let facts = 0
    for (let turn = 0; facts < limit && [...behind.values()].some((steps) => steps.length > turn); turn++) {
      for (const [partition, steps] of behind) {
        const next = steps[turn]
        if (next === undefined || facts >= limit) continue
        chosen.get(partition)?.push(next)
        facts += next.step.facts.length
      }
    }
    for (const [partition, steps] of chosen) {
      const last = steps.at(-1)
      if (last !== undefined) this.#remember(partition, last.behind, last.step.number)
    }
    return [...chosen.values()].flat().map(({ step }) => step)
  }
}

const START: Cursor = { offset: 0, reached: null, step: 0 }
