import {
  type Burial,
  type DeadLetter,
  LETTER_ID,
  type LetterCounts,
  type LetterMark,
  type LetterPage,
  type LetterQuery,
} from '../../machines/ports/dead-letters.ts'
import { type Cursor, decodeCursor, encodeCursor } from './cursor.ts'

/** Letters that a partition keeps: 64 partitions keep 64,000. */
export const LETTERS_MAX = 1_000

/** A reason may quote what came in, and not every store takes NUL or half of a surrogate pair. */
export const plainReason = (reason: string): string => reason.replaceAll('\0', '').toWellFormed()

/** The letter after it died once more. */
export const buried = (
  known: DeadLetter | undefined,
  burial: Omit<Burial, 'bytes' | 'position'>,
  sizeBytes: number,
) => {
  const { id, partition, source, at } = burial
  const first = { id, partition, source, sizeBytes, attempts: 0, firstSeenAt: at, replays: 0, lastAction: null }
  const before = known ?? first
  const reason = plainReason(burial.reason)
  return { ...before, reason, attempts: before.attempts + 1, lastSeenAt: at, state: 'waiting' } satisfies DeadLetter
}

/** The letter after an operator did something with it. */
export const marked = <Letter extends DeadLetter>(letter: Letter, mark: LetterMark): Letter => {
  const { by, at, reason } = mark
  return {
    ...letter,
    state: letter.attempts === mark.attempts ? mark.state : letter.state,
    replays: letter.replays + (mark.state === 'replayed' ? 1 : 0),
    lastAction: { by, at, reason },
  }
}

/** The letter without what came in. */
export const erased = <Letter extends DeadLetter>(letter: Letter): Letter => ({
  ...letter,
  reason: 'erased',
  sizeBytes: 0,
  state: 'discarded',
})

const placeOf = ({ firstSeenAt, id }: DeadLetter): Cursor => ({ time: firstSeenAt, id })

const compare = (one: Cursor, other: Cursor): number => {
  if (one.time !== other.time) return one.time < other.time ? -1 : 1
  return one.id < other.id ? -1 : Number(one.id > other.id)
}

const oldestFirst = (one: DeadLetter, other: DeadLetter): number => compare(placeOf(one), placeOf(other))

/** Which of a partition's letters makes room when there are too many. */
export const firstToGo = (letters: Iterable<DeadLetter>): DeadLetter | null => {
  let first: DeadLetter | null = null
  for (const letter of letters) if (first === null || goesBefore(letter, first)) first = letter
  return first
}

const goesBefore = (one: DeadLetter, other: DeadLetter): boolean => {
  const [oneWaits, otherWaits] = [one.state === 'waiting', other.state === 'waiting']
  return oneWaits === otherWaits ? oldestFirst(one, other) < 0 : otherWaits
}

/** Where a page begins: behind this place, newest first. @throws BadCursor */
export const placeIn = ({ cursor }: LetterQuery): Cursor | null => decodeCursor(cursor, LETTER_ID)

interface PageOf<Letter extends DeadLetter> extends LetterPage {
  readonly items: readonly Letter[]
}

/** A page of what was read for it, which is one letter more than wanted if there are more. */
export const pageOf = <Letter extends DeadLetter>(newestFirst: readonly Letter[], limit: number): PageOf<Letter> => {
  const items = newestFirst.slice(0, limit)
  const last = items.at(-1)
  return { items, next: newestFirst.length > limit && last ? encodeCursor(placeOf(last)) : null }
}

/** A page of letters that all are at hand. @throws BadCursor */
export const pageIn = <Letter extends DeadLetter>(letters: Iterable<Letter>, query: LetterQuery): PageOf<Letter> => {
  const after = placeIn(query)
  const isAsked = (letter: Letter) =>
    (query.state === undefined || letter.state === query.state) &&
    (after === null || compare(placeOf(letter), after) < 0)
  const newestFirst = [...letters].filter(isAsked).toSorted((one, other) => oldestFirst(other, one))
  return pageOf(newestFirst, query.limit)
}

export const countsIn = (letters: Iterable<DeadLetter>, dropped: number): LetterCounts => {
  const counts = { waiting: 0, replayed: 0, discarded: 0, dropped }
  for (const { state } of letters) counts[state]++
  return counts
}
