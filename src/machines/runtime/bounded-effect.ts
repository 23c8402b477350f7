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
export const runBounded = <Value>(
  effect: (signal: AbortSignal) => Promise<Value>,
  limit: { readonly timeoutMs: number; readonly abort: AbortSignal; readonly clock: Clock },
): Promise<Ended<Value>> => {
  if (limit.abort.aborted) return Promise.resolve({ how: 'aborted' })
  const { promise, resolve } = Promise.withResolvers<Ended<Value>>()
  const inner = new AbortController()
  const settled = new AbortController()
  let stopped: 'timeout' | 'aborted' | null = null
  const settle = (ended: Ended<Value>) => {
    settled.abort(SETTLED)
    unlisten()
    resolve(ended)
  }
  const cutOff = (): Ended<Value> => (stopped === 'aborted' ? { how: 'aborted' } : { how: 'timeout', late: work })
  const stop = (how: 'timeout' | 'aborted') => {
    if (stopped !== null || settled.signal.aborted) return
    stopped = how
    inner.abort(new Error(how))
    void limit.clock.sleep(STOP_MS, settled.signal).then(() => settle(cutOff()))
  }
  const unlisten = onAbort(limit.abort, () => stop('aborted'))
  void limit.clock.sleep(limit.timeoutMs, settled.signal).then(() => stop('timeout'))
  const work: Promise<Late<Value>> = Promise.resolve()
    .then(() => effect(inner.signal))
    .then(
      (value) => ({ how: 'done', value }),
      (error: unknown) => ({ how: 'threw', error }),
    )
  // An effect that was told to stop rejects for that reason: the reason counts, not the rejection.
  void work.then((end) => settle(end.how === 'threw' && stopped !== null ? cutOff() : end))
  return promise
}
