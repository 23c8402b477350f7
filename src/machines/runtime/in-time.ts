import type { Clock } from '../ports/environment.ts'

/** What a promise comes to. @throws when it did not within `ms`; what it stands for may happen later still. */
export const inTime = async <Result>(work: Promise<Result>, ms: number, clock: Clock): Promise<Result> => {
  const ended = new AbortController()
  const late = clock.sleep(ms, ended.signal).then(() => {
    throw new Error(`no answer within ${ms} ms`)
  })
  try {
    return await Promise.race([work, late])
  } finally {
    // The sleep ends with its rejection, which nobody waits for any more.
    late.catch(() => undefined)
    ended.abort()
  }
}
