import type { Clock } from '../../machines/ports/environment.ts'

/** setTimeout() takes no more; a longer sleep ends early, and whoever slept looks at the clock again. */
const TIMER_MAX_MS = 2 ** 31 - 1

/**
 * The time of day as one process sees it: it never goes back, because leases are measured with it; it runs on when the time
 * of day is set back, and catches up after the machine slept. Whole milliseconds.
 */
export const steadyClock = (): Clock => {
  let originMs = performance.timeOrigin
  return {
    now: () => {
      const sinceStartMs = performance.now()
      originMs = Math.max(originMs, Date.now() - sinceStartMs)
      return Math.floor(originMs + sinceStartMs)
    },
    sleep,
  }
}

/** A plain timer: the promised one makes an Error at each abort, which cost a fifth of a session. */
const sleep = (ms: number, signal?: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal?.aborted) return resolve()
    const end = () => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', end)
      resolve()
    }
    // Whoever sleeps until a moment may find it over by now.
    const timer = setTimeout(end, Math.min(Math.max(ms, 0), TIMER_MAX_MS))
    signal?.addEventListener('abort', end, { once: true })
  })
