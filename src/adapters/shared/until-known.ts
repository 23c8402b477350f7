import type { Clock } from '../../machines/ports/environment.ts'
import { Fenced } from '../../machines/ports/event-log.ts'
import type { HeldLease } from './kept-lease.ts'

const PAUSE_FIRST_MS = 20
const PAUSE_MAX_MS = 500

/**
 * Repeats a commit whose outcome is unknown (a lost connection) for as long as the lease lasts: the log recognises the
 * repeat by the step's id. `mayRepeat` tells such an error from one that every repeat would meet again.
 * @throws Fenced when the log refused it or the lease ran out, and what may not be repeated.
 */
export const untilKnown = async <Start, Result>(
  held: HeldLease<Start>,
  clock: Clock,
  commit: () => Promise<Result>,
  mayRepeat: (error: unknown) => boolean = () => true,
): Promise<Result> => {
  for (let pauseMs = PAUSE_FIRST_MS; ; pauseMs = Math.min(pauseMs * 2, PAUSE_MAX_MS)) {
    held.assertHeld()
    try {
      return await commit()
    } catch (error) {
      if (error instanceof Fenced || !mayRepeat(error)) throw error
      await clock.sleep(pauseMs, held.ended)
    }
  }
}
