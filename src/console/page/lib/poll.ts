/**
 * Does work again and again, so long after each end of it, until the signal aborts. A hidden page rests; a try that fails is left
 * to the next one, since what is shown stays true as of its time.
 */
export const poll = async (everyMs: number, signal: AbortSignal, work: () => Promise<void>): Promise<void> => {
  while (!signal.aborted) {
    await pause(everyMs, signal)
    if (!signal.aborted && !document.hidden) await work().catch(() => undefined)
  }
}

/** Waits; not longer than until the signal aborts. */
export const pause = (ms: number, signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    const ended = () => {
      clearTimeout(timer)
      resolve()
    }
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', ended)
      resolve()
    }, ms)
    if (signal.aborted) ended()
    else signal.addEventListener('abort', ended, { once: true })
  })
