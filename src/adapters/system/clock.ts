import type { Clock } from '../../machines/ports/environment.ts'

/** setTimeout() takes no more; a longer sleep ends early, and whoever slept looks at the clock again. */
const TIMER_MAX_MS = 2 ** 31 - 1

/** The machine's own clock; it never goes back, because leases are measured with it. A plain timer: the promised one makes an Error at each abort, which cost a fifth of a session. */
export const systemClock: Clock = {
  now: () => Math.floor(performance.timeOrigin + performance.now()),
  sleep: (ms, signal) =>
    new Promise((resolve) => {
      if (signal?.aborted) return resolve()
      const end = () => {
        clearTimeout(timer)
        signal?.removeEventListener('abort', end)
        resolve()
      }
      const timer = setTimeout(end, Math.min(ms, TIMER_MAX_MS))
      signal?.addEventListener('abort', end, { once: true })
    }),
}

/**
 * The time of day as one process sees it: it never goes back, runs on when the time of day is set back, and catches up after
 * the machine slept. Whole milliseconds.
 */
export const steadyClock = (): Clock => {
  let originMs = performance.timeOrigin
  return {
    now: () => {
      const sinceStartMs = performance.now()
      originMs = Math.max(originMs, Date.now() - sinceStartMs)
      return Math.floor(originMs + sinceStartMs)
    },
    sleep: systemClock.sleep,
  }
}
