import { isoTime } from '../../events/text.ts'
import type { DeadLetter } from '../ports/dead-letters.ts'
import type { Environment } from '../ports/environment.ts'
import type { EventLog } from '../ports/event-log.ts'

/** A letter that was replayed this often and died each time needs `force`: something must be mended first. */
export const REPLAYS_MAX = 5

interface LettersOf {
  readonly log: Pick<EventLog, 'publish' | 'letters'>
  readonly env: Pick<Environment, 'clock' | 'meter'>
}

export interface Replay {
  readonly by: string
  /** Replays whatever the letter's state, and however often it was replayed. */
  readonly force?: boolean
}

export interface Discard {
  readonly by: string
  readonly reason: string
}

/** Null: the letter is not kept. `letter`: as it is afterwards. */
type Done<Outcome extends string> = { readonly outcome: Outcome; readonly letter: DeadLetter } | null

/**
 * Publishes a letter's bytes to its partition once more. `replayed_before`: it has not died since, so nothing was published;
 * `discarded` and `worn_out`: refused without `force`. A crash between publication and mark leaves a letter that waits: a
 * second replay of it is dropped by the session's machine, because for the source `replay` the archive is asked as well.
 */
export const replayLetter = async (
  id: string,
  { by, force = false }: Replay,
  { log, env }: LettersOf,
): Promise<Done<'replayed' | 'replayed_before' | 'discarded' | 'worn_out'>> => {
  const opened = await log.letters.open(id)
  if (opened === null) return null
  const { bytes, ...letter } = opened
  const { partition, state, replays, attempts } = letter
  if (!force && state === 'replayed') return { outcome: 'replayed_before', letter }
  if (!force && state === 'discarded') return { outcome: 'discarded', letter }
  if (!force && replays >= REPLAYS_MAX) return { outcome: 'worn_out', letter }
  await log.publish([{ partition, bytes, source: 'replay' }])
  env.meter.count('dead_letter_actions_total', { action: 'replay' })
  const at = isoTime(env.clock.now())
  const after = await log.letters.mark(id, { state: 'replayed', by, at, reason: null, attempts })
  // It may have made room meanwhile: its message is on its way all the same.
  return { outcome: 'replayed', letter: after ?? letter }
}

/** Notes that a letter needs no work. `replayed`: refused, because nobody waits for a decision on it any more. */
export const discardLetter = async (
  id: string,
  { by, reason }: Discard,
  { log, env }: LettersOf,
): Promise<Done<'discarded' | 'discarded_before' | 'replayed'>> => {
  const opened = await log.letters.open(id)
  if (opened === null) return null
  const { bytes: _, ...letter } = opened
  if (letter.state === 'discarded') return { outcome: 'discarded_before', letter }
  if (letter.state === 'replayed') return { outcome: 'replayed', letter }
  const at = isoTime(env.clock.now())
  const after = await log.letters.mark(id, { state: 'discarded', by, at, reason, attempts: letter.attempts })
  env.meter.count('dead_letter_actions_total', { action: 'discard' })
  return after === null ? null : { outcome: 'discarded', letter: after }
}
