import type { Burial, DeadLetter, DeadLetters, OpenedLetter } from '../../machines/ports/dead-letters.ts'
import type { Clock } from '../../machines/ports/environment.ts'
import { countsIn, erased, pageIn } from '../shared/dead-letters.ts'
import { isOutOfRange } from './errors.ts'
import { type FoldedLetter, LetterFold, type LetterNote } from './letter-fold.ts'
import type { Outbox } from './outbox.ts'
import type { Parcel } from './producer.ts'
import type { WireRecord } from './protocol/record-batch.ts'
import type { Wire } from './wire.ts'

const READ_BYTES = 4 * 1024 * 1024
/** A broker that says that there is more, and gives nothing, is asked again this often. */
const EMPTY_MAX = 50
const AGAIN_MS = 20
/** Kept letters go into requests about this large. */
const WRITE_BYTES = 1024 * 1024

export interface LettersAt {
  readonly topic: string
  readonly wire: Wire
  readonly outbox: Outbox
  readonly clock: Clock
  /** How many letters a partition keeps. */
  readonly lettersMax: number
  /** The topic is written anew once it holds this many records more than twice the letters. */
  readonly spareRecords: number
  readonly onError: (error: unknown) => void
}

/** A burial as it is written before its commit. */
export const burialOf = (topic: string, { bytes, position, ...burial }: Burial): Parcel => {
  // An inbox position begins with the offset.
  const note: LetterNote = { kind: 'buried', burial, position: Number.parseInt(position, 10) }
  return parcelOf(topic, burial.id, note, Buffer.from(bytes.subarray(0, LETTER_BYTES_MAX)))
}

/** Of a message that others wrote compressed, and that is larger than any record of ours: its beginning is kept. */
const LETTER_BYTES_MAX = 8 * 1024 * 1024

const parcelOf = (topic: string, key: string, note: LetterNote, value: Buffer): Parcel => ({
  topic,
  partition: 0,
  key,
  headers: { note: JSON.stringify(note) },
  value,
})

const NOTHING = Buffer.alloc(0)

/** The letters' topic, read as far as somebody asks. */
export class Letters implements DeadLetters {
  readonly #at: LettersAt
  #fold: LetterFold
  /** The first record that is not folded yet. */
  #next = 0
  #reading: Promise<unknown> = Promise.resolve()
  #tidying = false

  constructor(at: LettersAt) {
    this.#at = at
    this.#fold = new LetterFold(at.lettersMax)
  }

  list: DeadLetters['list'] = async (query) => {
    const page = pageIn((await this.#read()).letters, query)
    return { ...page, items: page.items.map(withoutPlaces) }
  }

  open: DeadLetters['open'] = async (id) => {
    for (let again = false; ; again = true) {
      const letter = (await this.#read()).letter(id)
      if (letter === null) return null
      try {
        return await this.#opened(letter)
      } catch (error) {
        // The topic was written anew since it was read.
        if (!isOutOfRange(error) || again) throw error
      }
    }
  }

  mark: DeadLetters['mark'] = async (id, mark) => {
    const { topic, outbox } = this.#at
    if ((await this.#read()).letter(id) === null) return null
    await outbox.send([parcelOf(topic, id, { kind: 'marked', mark }, NOTHING)])
    const letter = (await this.#read()).letter(id)
    return letter && withoutPlaces(letter)
  }

  /** The record with the bytes lies in the topic until it is written anew. */
  erase: DeadLetters['erase'] = async (id) => {
    const { topic, outbox } = this.#at
    const letter = (await this.#read()).letter(id)
    if (letter === null) return false
    const { bytesAt: _, ...kept } = erased(letter)
    await outbox.send([parcelOf(topic, id, { kind: 'kept', letter: kept, through: this.#next }, NOTHING)])
    return true
  }

  counts: DeadLetters['counts'] = async () => {
    const { letters, dropped } = await this.#read()
    return countsIn(letters, dropped)
  }

  /**
   * Writes what is kept behind the end of a topic that has grown long, and drops what lies before. Of one process at a time;
   * where two overlap, both say what is true, and a letter that made room may come back. Never rejects.
   */
  async tidy(): Promise<void> {
    if (this.#tidying) return
    this.#tidying = true
    try {
      await this.#tidy()
    } catch (error) {
      this.#at.onError(error)
    } finally {
      this.#tidying = false
    }
  }

  async #tidy(): Promise<void> {
    const { topic, wire, outbox, spareRecords } = this.#at
    const { start = 0, end = 0 } = (await wire.bounds(topic))[0] ?? {}
    if (end - start <= spareRecords) return
    const fold = await this.#read()
    const through = this.#next
    const letters = new Map([...fold.letters].map((letter) => [letter.id, letter]))
    if (through - start <= spareRecords + 2 * letters.size) return
    let parcels: Parcel[] = [parcelOf(topic, 'dropped', { kind: 'dropped', total: fold.dropped, through }, NOTHING)]
    let bytes = 0
    for await (const { key, offset, value } of this.#records(start, through)) {
      const letter = letters.get(key ?? '')
      if (letter === undefined || letter.bytesAt !== offset) continue
      const { bytesAt: _, ...kept } = letter
      parcels.push(parcelOf(topic, letter.id, { kind: 'kept', letter: kept, through }, value))
      bytes += value.byteLength
      if (bytes < WRITE_BYTES) continue
      await outbox.send(parcels)
      parcels = []
      bytes = 0
    }
    if (parcels.length > 0) await outbox.send(parcels)
    await wire.dropBefore(topic, 0, through)
  }

  /** Everything that was acknowledged before the call. One after the other: each goes on where the one before stopped. */
  #read(): Promise<LetterFold> {
    const read = this.#reading.then(() => this.#readOn())
    this.#reading = read.catch(() => undefined)
    return read
  }

  async #readOn(): Promise<LetterFold> {
    const { topic, wire } = this.#at
    const { start = 0, end = 0 } = (await wire.bounds(topic))[0] ?? {}
    // What was not read yet was dropped, or another topic is in this one's place.
    if (this.#next < start || this.#next > end) {
      this.#fold = new LetterFold(this.#at.lettersMax)
      this.#next = start
    }
    for await (const { offset, key, headers, value } of this.#records(this.#next, end)) {
      const note = JSON.parse(headers['note'] ?? '') as LetterNote
      this.#fold.apply({ offset, key: key ?? '', note, sizeBytes: value.byteLength })
      this.#next = offset + 1
    }
    this.#fold.prune(start)
    return this.#fold
  }

  async *#records(from: number, end: number): AsyncIterable<WireRecord> {
    const { topic, wire, clock } = this.#at
    let empty = 0
    for (let offset = from; offset < end; ) {
      const [slice] = await wire.fetch([{ topic, partition: 0, offset }], { waitMs: 0, bytes: READ_BYTES })
      const records = slice?.records.filter((record) => record.offset < end) ?? []
      yield* records
      const last = records.at(-1)
      if (last !== undefined) offset = last.offset + 1
      else if (++empty > EMPTY_MAX) throw new Error(`${topic} ends at ${offset} before its end ${end}`)
      else await clock.sleep(AGAIN_MS)
    }
  }

  async #opened(letter: FoldedLetter): Promise<OpenedLetter> {
    for await (const { value } of this.#records(letter.bytesAt, letter.bytesAt + 1))
      return { ...withoutPlaces(letter), bytes: value }
    throw new Error(`the bytes of letter ${letter.id} are not there`)
  }
}

const withoutPlaces = (folded: FoldedLetter): DeadLetter => {
  const { position: _, bytesAt: __, ...letter } = folded
  return letter
}
