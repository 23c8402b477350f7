import { erasedFact } from '../events/erasure.ts'
import type { Owner } from '../events/owner.ts'
import { resultPath } from '../machines/effects/paths.ts'
import type { DeadLetters } from '../machines/ports/dead-letters.ts'
import type { RemovableObjects } from '../machines/ports/objects.ts'
import type { Erasure } from './erasure.ts'
import { ownerId } from './sessions.ts'

/** What one round of an erasure did. `open`: sessions that have not ended, to be erased when they have. */
export interface ErasureReport {
  readonly sessions: number
  readonly open: number
  readonly objects: number
  /** Dead letters that named the owner or one of these sessions. */
  readonly letters: number
  /** There are more closed sessions. */
  readonly more: boolean
}

const SESSIONS_PER_CALL = 100
const CALLS_MAX = 10

/** Erases some hundred closed sessions of an owner. Repeating it goes on, and in the end changes nothing more. */
export const eraseSome = async (
  { erasure, objects, letters }: { erasure: Erasure; objects: RemovableObjects; letters: DeadLetters },
  owner: Owner,
  by: string,
): Promise<ErasureReport> => {
  let [erased, removed, open, more] = [0, 0, 0, true]
  const names: string[] = [ownerId(owner)]
  for (let calls = 0; more && calls < CALLS_MAX; calls++) {
    const batch = await erasure.erasable(owner, SESSIONS_PER_CALL)
    const sessions = batch.sessions.flatMap(([first]) => (first === undefined ? [] : [first.sessionId]))
    // The image first: what breaks off before its session is marked as erased is found again.
    if (sessions.length > 0) {
      removed += await objects.remove(sessions.map((session) => resultPath(owner, session)))
      await erasure.erase(batch.sessions.flat().map(erasedFact))
    }
    names.push(...sessions)
    erased += batch.sessions.length
    open = batch.open
    more = batch.sessions.length === SESSIONS_PER_CALL
  }
  const dead = await eraseLetters(letters, names)
  await erasure.note(owner, by, erased)
  return { sessions: erased, open, objects: removed, letters: dead, more }
}

const LETTERS_PAGE = 200

/** Erases the letters whose bytes hold one of these ids, in any letter case. */
const eraseLetters = async (letters: DeadLetters, ids: readonly string[]): Promise<number> => {
  let count = 0
  for (let cursor: string | undefined; ; ) {
    const page = await letters.list({ limit: LETTERS_PAGE, ...(cursor !== undefined && { cursor }) })
    for (const { id, sizeBytes } of page.items) {
      const opened = sizeBytes === 0 ? null : await letters.open(id)
      const text = opened === null ? '' : Buffer.from(opened.bytes).toString('latin1').toLowerCase()
      if (ids.some((name) => text.includes(name))) count += Number(await letters.erase(id))
    }
    if (page.next === null) return count
    cursor = page.next
  }
}

const FORGET_PER_CALL = 5_000
/** A backlog of an hour at 500 results a second, ten times over. */
const FORGET_CALLS_MAX = 4_000

/** Takes all signatures that have expired out of the archive. */
export const forgetExpired = async (erasure: Pick<Erasure, 'forgetExpired'>): Promise<void> => {
  for (let calls = 0; calls < FORGET_CALLS_MAX; calls++)
    if ((await erasure.forgetExpired(FORGET_PER_CALL)) < FORGET_PER_CALL) return
}
