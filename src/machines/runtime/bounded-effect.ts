import type { Clock } from '../ports/environment.ts'

/** How long an effect that was told to stop may take before its slot is given away without it. */
const STOP_MS = 5_000

/** Given as the reason, so that the engine does not make an exception with a stack. */
const SETTLED = 'settled'

export type Ended<Value> =
  | { readonly how: 'done'; readonly value: Value }
  | { readonly how: 'threw'; readonly error: unknown }
  /** It passed its time limit: whether its work was done is unknown. `late` is what it came to after all, if it ever does. */
  | { readonly how: 'timeout'; readonly late: Promise<Late<Value>> }
  /** The caller aborted it. */
  | { readonly how: 'aborted' }

type Late<Value> = { readonly how: 'done'; readonly value: Value } | { readonly how: 'threw'; readonly error: unknown }

/** An effect that runs until it ends or is told to stop. */
export interface BoundedEffect<Value> {
  /** Always comes, and never rejects: an effect that does not heed its signal is left behind. */
  readonly ended: Promise<Ended<Value>>
  /** Tells it to stop; the first word counts. An effect that is stopped in the turn that it was started in never begins. */
  readonly stop: (how: 'timeout' | 'aborted') => void
}

/** Starts an effect. Its time limit is the caller's: one alarm watches the limits of many. */
export const startBounded = <Value>(
  effect: (signal: AbortSignal) => Promise<Value>,
  clock: Clock,
): BoundedEffect<Value> => {
  const { promise: ended, resolve } = Promise.withResolvers<Ended<Value>>()
  const stopping = new AbortController()
  let stopped: 'timeout' | 'aborted' | null = null
  let settled = false
  let grace: AbortController | null = null
  const settle = (end: Ended<Value>) => {
    settled = true
    grace?.abort(SETTLED)
    resolve(end)
  }
  const cutOff = (): Ended<Value> => (stopped === 'aborted' ? { how: 'aborted' } : { how: 'timeout', late: work })
  const work: Promise<Late<Value>> = Promise.resolve()
    .then(() => (stopped === null ? effect(stopping.signal) : Promise.reject(stopping.signal.reason as Error)))
    .then(
      (value) => ({ how: 'done', value }),
      (error: unknown) => ({ how: 'threw', error }),
    )
  // An effect that was told to stop rejects for that reason: the reason counts, not the rejection.
  void work.then((end) => settle(end.how === 'threw' && stopped !== null ? cutOff() : end))
  return {
    ended,
    stop: (how) => {
      if (stopped !== null || settled) return
      stopped = how
      stopping.abort(new Error(how))
      grace = new AbortController()
      void clock.sleep(STOP_MS, grace.signal).then(() => settle(cutOff()))
    },
  }
}
