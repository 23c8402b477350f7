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

/**
 * Draws what is read, and again whenever something else is read: only then, so that nobody loses the place where the keyboard is.
 * Rejects when the first read does.
 */
export const keepDrawn = async <Value extends object>(
  { everyMs, signal, read }: { everyMs: number; signal: AbortSignal; read: () => Promise<Value> },
  draw: (value: Value, redraw: () => Promise<void>) => void,
): Promise<void> => {
  let shown = ''
  const redraw = async () => {
    const value = await read()
    if (shown !== (shown = JSON.stringify(value))) draw(value, redraw)
  }
  await redraw()
  void poll(everyMs, signal, redraw)
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
