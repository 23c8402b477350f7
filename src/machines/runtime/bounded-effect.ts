import type { Clock } from '../ports/environment.ts'
import { onAbort } from './signal.ts'

/** How long an effect that was told to stop may take before its slot is given away without it. */
const STOP_MS = 5_000

/** Given as the reason, so that the engine does not make an exception with a stack for each effect. */
const SETTLED = 'settled'

export type Ended<Value> =
  | { readonly how: 'done'; readonly value: Value }
  | { readonly how: 'threw'; readonly error: unknown }
  /** It passed its time limit: whether its work was done is unknown. `late` is what it came to after all, if it ever does. */
  | { readonly how: 'timeout'; readonly late: Promise<Late<Value>> }
  /** The caller aborted it. */
  | { readonly how: 'aborted' }

type Late<Value> = { readonly how: 'done'; readonly value: Value } | { readonly how: 'threw'; readonly error: unknown }

/** Runs an effect within a time limit. Always ends: an effect that does not heed its signal is left behind. Never rejects. */
export const runBounded = async <Value>(
  effect: (signal: AbortSignal) => Promise<Value>,
  limit: { readonly timeoutMs: number; readonly abort: AbortSignal; readonly clock: Clock },
): Promise<Ended<Value>> => {
  if (limit.abort.aborted) return { how: 'aborted' }
  const inner = new AbortController()
  const settled = new AbortController()
  let stopped: 'timeout' | 'aborted' | null = null
  const stop = (how: 'timeout' | 'aborted') => {
    stopped ??= how
    inner.abort(new Error(how))
  }
  const unlisten = onAbort(limit.abort, () => stop('aborted'))
  const work: Promise<Late<Value>> = Promise.resolve()
    .then(() => effect(inner.signal))
    .then(
      (value) => ({ how: 'done', value }),
      (error: unknown) => ({ how: 'threw', error }),
    )
  const cutOff = (): Ended<Value> => (stopped === 'aborted' ? { how: 'aborted' } : { how: 'timeout', late: work })
  const giveUp = async (): Promise<Ended<Value>> => {
    await Promise.race([limit.clock.sleep(limit.timeoutMs, settled.signal), whenAborted(inner.signal, settled.signal)])
    if (!settled.signal.aborted) stop('timeout')
    await limit.clock.sleep(STOP_MS, settled.signal)
    return cutOff()
  }
  // An effect that was told to stop rejects for that reason: the reason counts, not the rejection.
  const heeded = work.then((end): Ended<Value> => (end.how === 'threw' && stopped !== null ? cutOff() : end))
  const ended = await Promise.race([heeded, giveUp()])
  settled.abort(SETTLED)
  unlisten()
  return ended
}

const whenAborted = (signal: AbortSignal, settled: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    onAbort(signal, resolve)
    onAbort(settled, resolve)
  })
