import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  type FoldedLetter,
  LetterFold,
  type LetterNote,
  type NotedRecord,
} from '../../src/adapters/kafka/letter-fold.ts'

const MAX = 3
const AT = (second: number) => new Date(Date.UTC(2026, 0, 1, 0, 0, second)).toISOString()

const buried = (id: number, position: number): LetterNote => ({
  kind: 'buried',
  burial: { id: `0-${id}`, partition: 0, reason: `at ${position}`, source: 'list', at: AT(position) },
  position,
})
const marked = (state: 'replayed' | 'discarded', attempts: number, second: number): LetterNote => ({
  kind: 'marked',
  mark: { state, by: 'Ada', at: AT(second), reason: null, attempts },
})

const foldOf = (records: readonly NotedRecord[], start = 0): LetterFold => {
  const fold = new LetterFold(MAX)
  for (const record of records) if (record.offset >= start) fold.apply(record)
  return fold
}
/** All that is told of letters; where their bytes lie may differ. */
const told = (fold: LetterFold) => ({
  letters: [...fold.letters]
    .map((letter) => ({ ...letter, bytesAt: 0 }))
    .toSorted((one, other) => (one.id < other.id ? -1 : 1)),
  dropped: fold.dropped,
})

/** A topic as owners and operators write it, with the notes in the order in which they come. */
const topic = (notes: readonly (readonly [key: string, note: LetterNote])[]): NotedRecord[] =>
  notes.map(([key, note], offset) => ({ offset, key, note, sizeBytes: 1 }))

describe('the fold of the letters’ topic', () => {
  it('counts a burial once however often, and in whatever order, owners write it', () => {
    const notes = [buried(1, 5), buried(1, 5), buried(1, 7), buried(1, 5), buried(1, 7)]
    const fold = foldOf(topic(notes.map((note) => ['0-1', note] as const)))
    expect(fold.letter('0-1')).toMatchObject({ attempts: 2, position: 7, bytesAt: 0, reason: 'at 7' })
  })

  it('keeps no more letters than a partition may, and counts the others', () => {
    const records = topic([1, 2, 3, 4, 5].map((id) => [`0-${id}`, buried(id, id)] as const))
    const { letters, dropped } = told(foldOf(records))
    expect(letters.map(({ id }) => id)).toEqual(['0-3', '0-4', '0-5'])
    expect(dropped).toBe(2)
  })

  it('knows nothing of a mark on a letter that it does not have', () => {
    const fold = foldOf(topic([['0-1', marked('replayed', 1, 1)]]))
    expect(told(fold)).toEqual({ letters: [], dropped: 0 })
  })

  it('comes to the same as if the topic had never been written anew, for who reads all of it and for who reads the rest', () => {
    const step = fc.tuple(fc.nat(5), fc.integer({ min: 0, max: 3 }), fc.nat(2))
    fc.assert(
      fc.property(
        fc.array(step, { minLength: 1, maxLength: 60 }),
        fc.nat(60),
        fc.nat(10),
        fc.boolean(),
        (steps, cut, lag, withNew) => {
          const records: NotedRecord[] = []
          const write = (key: string, note: LetterNote) =>
            records.push({ offset: records.length, key, note, sizeBytes: 1 })
          let position = 0
          const play = ([id, kind, attempts]: (typeof steps)[number]) => {
            if (kind < 2) write(`0-${id}`, buried(id, ++position))
            // An owner that came later writes what the one before wrote.
            else if (kind === 2) write(`0-${id}`, buried(id, Math.max(1, position - 1)))
            else write(`0-${id}`, marked(attempts > 0 ? 'replayed' : 'discarded', attempts, position))
          }
          for (const one of steps.slice(0, cut)) play(one)
          const through = records.length
          const kept = foldOf(records)
          const letters: FoldedLetter[] = [...kept.letters]
          // Others write between the look and what it comes to: marks, or new letters that others make room for.
          for (const [index, [id, , attempts]] of steps.slice(cut, cut + lag).entries()) {
            if (withNew) write(`0-${9 + index}`, buried(9 + index, ++position))
            else write(`0-${id}`, marked('replayed', attempts, position))
          }
          write('dropped', { kind: 'dropped', total: kept.dropped, through })
          for (const { bytesAt: _, ...letter } of letters) write(letter.id, { kind: 'kept', letter, through })
          for (const one of steps.slice(cut + lag)) play(one)
          const neverRewritten = records.filter(({ note }) => note.kind === 'buried' || note.kind === 'marked')
          const expected = told(foldOf(neverRewritten))
          expect(told(foldOf(records))).toEqual(expected)
          expect(told(foldOf(records, through))).toEqual(expected)
        },
      ),
    )
  })
})
