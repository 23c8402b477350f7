import { assertNever } from '../../events/assert-never.ts'
import type { Burial, DeadLetter, LetterMark } from '../../machines/ports/dead-letters.ts'
import { buried, firstToGo, marked } from '../shared/dead-letters.ts'

/** A letter, the inbox offset at which it last died, and the offset of the record that holds its bytes. */
export interface FoldedLetter extends DeadLetter {
  readonly position: number
  readonly bytesAt: number
}

/** What a record of the letters' topic says of the letter that is its key. */
export type LetterNote =
  | { readonly kind: 'buried'; readonly burial: Omit<Burial, 'bytes' | 'position'>; readonly position: number }
  | { readonly kind: 'marked'; readonly mark: LetterMark }
  /** The letter as all records before an offset make it: so those can be dropped. */
  | { readonly kind: 'kept'; readonly letter: Omit<FoldedLetter, 'bytesAt'>; readonly through: number }
  /** How many letters had made room before an offset. Its key is no letter's. */
  | { readonly kind: 'dropped'; readonly total: number; readonly through: number }

export interface NotedRecord {
  readonly offset: number
  readonly key: string
  readonly note: LetterNote
  /** Of the letter's bytes, where the record holds them. */
  readonly sizeBytes: number
}

type Event = NotedRecord & { readonly note: Exclude<LetterNote, { kind: 'kept' | 'dropped' }> }

interface Entry {
  /** All records before this offset are in `base`, or went with the letter when it made room. */
  through: number
  base: FoldedLetter | null
  /** From there on, in order. */
  events: Event[]
  letter: FoldedLetter | null
}

/**
 * The letters that the topic's records come to. A burial is written before the commit that it belongs to, and again by the
 * next owner where that commit did not count: it is known by the inbox offset and counts once. Two things are not exact: a
 * letter of a commit that never counted stays, although the next owner, running a newer program, may have understood the
 * message; and where the inbox lost its tail, deaths at offsets that it gives out anew are taken for repeats.
 */
export class LetterFold {
  readonly #max: number
  readonly #entries = new Map<string, Entry>()
  readonly #partitions = new Map<number, Map<string, FoldedLetter>>()
  /** How many letters made room before an offset, and the records since at which one did. */
  #droppedBefore = { total: 0, through: 0 }
  #drops: number[] = []

  /** @param max how many letters a partition keeps. */
  constructor(max: number) {
    this.#max = max
  }

  apply({ offset, key, note, sizeBytes }: NotedRecord): void {
    switch (note.kind) {
      case 'dropped':
        if (note.through <= this.#droppedBefore.through) return
        this.#droppedBefore = note
        this.#drops = this.#drops.filter((at) => at >= note.through)
        return
      case 'kept': {
        const entry = this.#entry(key)
        if (note.through <= entry.through) return
        entry.through = note.through
        entry.base = { ...note.letter, bytesAt: offset }
        entry.events = entry.events.filter((event) => event.offset >= note.through)
        return this.#keep(entry, entry.events.reduce<FoldedLetter | null>(next, entry.base), offset)
      }
      case 'buried':
      case 'marked': {
        const entry = this.#entry(key)
        const event = { offset, key, note, sizeBytes }
        entry.events.push(event)
        return this.#keep(entry, next(entry.letter, event), offset)
      }
      default:
        assertNever(note)
    }
  }

  get letters(): Iterable<FoldedLetter> {
    return this.#partitions.values().flatMap((letters) => letters.values())
  }

  letter(id: string): FoldedLetter | null {
    return this.#entries.get(id)?.letter ?? null
  }

  /** How many letters made room. */
  get dropped(): number {
    return this.#droppedBefore.total + this.#drops.length
  }

  /** Forgets what it remembers of letters that made room before the topic's first record. */
  prune(start: number): void {
    for (const [key, { letter, through }] of this.#entries)
      if (letter === null && through <= start) this.#entries.delete(key)
  }

  #entry(key: string): Entry {
    const known = this.#entries.get(key)
    if (known !== undefined) return known
    const entry: Entry = { through: 0, base: null, events: [], letter: null }
    this.#entries.set(key, entry)
    return entry
  }

  #keep(entry: Entry, letter: FoldedLetter | null, offset: number): void {
    entry.letter = letter
    if (letter === null) return
    const kept = this.#partitions.get(letter.partition) ?? new Map<string, FoldedLetter>()
    this.#partitions.set(letter.partition, kept.set(letter.id, letter))
    if (kept.size <= this.#max) return
    const leaving = firstToGo(kept.values())?.id ?? ''
    kept.delete(leaving)
    this.#drops.push(offset)
    Object.assign(this.#entry(leaving), { through: offset + 1, base: null, events: [], letter: null })
  }
}

const next = (letter: FoldedLetter | null, { offset, note, sizeBytes }: Event): FoldedLetter | null => {
  if (note.kind === 'marked') return letter && marked(letter, note.mark)
  const { burial, position } = note
  if (letter !== null && position <= letter.position) return letter
  return { ...buried(letter ?? undefined, burial, sizeBytes), position, bytesAt: letter?.bytesAt ?? offset }
}
