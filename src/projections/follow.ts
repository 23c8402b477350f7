import type { Clock, Environment } from '../machines/ports/environment.ts'

/** What a loop that follows something growing is driven by. `alive` is called each time round, for health. */
export interface Follow {
  readonly environment: Environment
  readonly signal: AbortSignal
  /** How often the source is asked although nothing was heard of it, ms. */
  readonly pollMs?: number
  /** How long a source that keeps growing is left to grow between two rounds, ms: each costs the same for one fact as for many. */
  readonly pauseMs?: number
  /** Facts that one batch takes, about. */
  readonly batchFacts?: number
  alive?(): void
}

/** A growing source is asked at least this often: a notification may be lost. */
const POLL_MS = 3_000

/** Another process does the same work: look again after this long, so that one of both waits. */
const STANDBY_MS = 5_000

/** What a round did: more to do at once, some and perhaps more has come since, nothing new, or another process was faster. */
export type Round = 'more' | 'some' | 'idle' | 'moved'

/** Repeats a round until the signal aborts, woken by growth. Rejects with what a round rejects with: supervise it. */
export const follow = async (
  { environment, signal, pollMs = POLL_MS, pauseMs = 0, ...health }: Follow,
  onGrowth: (listener: () => void) => () => void,
  round: () => Promise<Round>,
): Promise<void> => {
  const { clock } = environment
  const wakeUp = new WakeUp()
  const stop = onGrowth(() => wakeUp.call())
  try {
    while (!signal.aborted) {
      health.alive?.()
      const did = await round()
      if (did === 'moved') await clock.sleep(STANDBY_MS * (0.5 + environment.random()), signal)
      if (did !== 'more' && pauseMs > 0) await clock.sleep(pauseMs, signal)
      if (did === 'idle') await wakeUp.wait(clock, pollMs, signal)
    }
  } finally {
    stop()
  }
}

/** Remembers a call that came before anybody waited for it. */
class WakeUp {
  #called = false
  #wake: (() => void) | null = null

  call(): void {
    this.#called = true
    this.#wake?.()
  }

  async wait(clock: Clock, pollMs: number, signal: AbortSignal): Promise<void> {
    if (!this.#called && !signal.aborted) {
      const woken = new AbortController()
      const wake = () => woken.abort('woken')
      this.#wake = wake
      signal.addEventListener('abort', wake, { once: true })
      await clock.sleep(pollMs, woken.signal)
      signal.removeEventListener('abort', wake)
      this.#wake = null
    }
    this.#called = false
  }
}
