import type { Response } from 'express'
import { exchangeOf } from './exchange.ts'
import type { HttpParts } from './parts.ts'
import { Problem } from './problem.ts'

/**
 * A part that hangs must not hold its callers: they are told to try again. The work that goes on without them keeps their places,
 * so that what waits for that part stays bounded, and whoever comes next hears at once that there is no place.
 * @throws Problem `too_slow` after `ms`.
 */
export const inTime = async <Value>(
  work: Promise<Value>,
  ms: number,
  response: Response,
  { env }: HttpParts,
): Promise<Value> => {
  const done = new AbortController()
  const endWork = exchangeOf(response).beginsWork()
  const ended = work.finally(() => {
    endWork()
    // With a reason, since without one each abort builds an error.
    done.abort('ended')
  })
  const tooLate = env.clock.sleep(ms, done.signal).then(() => {
    if (!done.signal.aborted) throw new Problem('too_slow')
    return ended
  })
  return Promise.race([ended, tooLate])
}
