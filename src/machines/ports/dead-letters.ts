import { createHash } from 'node:crypto'
import type { TaskSource } from '../../events/task.ts'

/** A message that nobody can work on, as the commit that consumes it carries it. */
export interface Burial {
  /** See `letterId`. */
  readonly id: string
  readonly partition: number
  /** Where it lay in the inbox: a burial that is read again after a lost answer is known by it, and counts once. */
  readonly position: string
  readonly reason: string
  readonly source: TaskSource
  readonly bytes: Uint8Array
  /** ISO 8601, UTC. */
  readonly at: string
}

/** `waiting`: an operator decides. A letter that dies again waits again, whatever was decided before. */
export const LETTER_STATES = ['waiting', 'replayed', 'discarded'] as const
export type LetterState = (typeof LETTER_STATES)[number]

/** A message that nobody could work on, without its bytes. */
export interface DeadLetter {
  readonly id: string
  readonly partition: number
  /** Of its last death. */
  readonly reason: string
  /** How it came when it first died. */
  readonly source: TaskSource
  /** Of what is kept: a log may keep only the beginning of a message that is larger than any that could be worked on. */
  readonly sizeBytes: number
  /** How often it died. */
  readonly attempts: number
  /** ISO 8601, UTC. */
  readonly firstSeenAt: string
  readonly lastSeenAt: string
  readonly state: LetterState
  /** How often it was replayed. */
  readonly replays: number
  /** What an operator did last, and why; a replay needs no reason. */
  readonly lastAction: { readonly by: string; readonly at: string; readonly reason: string | null } | null
}

export interface OpenedLetter extends DeadLetter {
  readonly bytes: Uint8Array
}

/** What an operator did with a letter. */
export interface LetterMark {
  readonly state: Exclude<LetterState, 'waiting'>
  readonly by: string
  readonly at: string
  readonly reason: string | null
  /** The attempts that the operator saw. A letter that died since goes on waiting; what was done is noted all the same. */
  readonly attempts: number
}

export interface LetterQuery {
  readonly limit: number
  /** `next` of the page before. */
  readonly cursor?: string
  readonly state?: LetterState
}

export interface LetterPage {
  readonly items: readonly DeadLetter[]
  /** Null on the last page. */
  readonly next: string | null
}

export interface LetterCounts extends Readonly<Record<LetterState, number>> {
  /** Letters that made room for younger ones since the log was created. */
  readonly dropped: number
}

/**
 * The letters of a log, kept by its commits. Each partition keeps a bounded number: beyond it those that were replayed or
 * discarded go first, then those that wait, always the oldest.
 */
export interface DeadLetters {
  /** By when they first died, the newest first. Rejects for a cursor that was not handed out. */
  list(query: LetterQuery): Promise<LetterPage>
  open(id: string): Promise<OpenedLetter | null>
  /** Answers the letter as it is afterwards; null when it is not kept (any more). */
  mark(id: string, mark: LetterMark): Promise<DeadLetter | null>
  /** Takes a letter's bytes and reason away for good; what is left counts as discarded. Answers whether it was kept. */
  erase(id: string): Promise<boolean>
  counts(): Promise<LetterCounts>
}

/** `<partition>-<hash of the bytes>`: a producer's repeat, and a replay that dies again, are the same letter. */
export const letterId = (partition: number, bytes: Uint8Array): string =>
  `${partition}-${createHash('sha256').update(bytes).digest('hex').slice(0, 32)}`

export const LETTER_ID = /^(\d{1,6})-[0-9a-f]{32}$/

/** The partition that a letter's id names, or null when it is no such id. */
export const partitionOfLetter = (id: string): number | null => {
  const found = LETTER_ID.exec(id)
  return found === null ? null : Number(found[1])
}
