import { setTimeout as timeout } from 'node:timers/promises'
import type { Clock } from '../../src/machines/ports/environment.ts'

/** The real time, which never goes back. */
export const realClock: Clock = {
  now: () => performance.timeOrigin + performance.now(),
  sleep: (ms, signal) => timeout(Math.max(ms, 0), undefined, { ...(signal && { signal }) }).catch(() => undefined),
}

export interface VirtualClock extends Clock {
  /** Lets time pass, and whatever slept until then go on. */
  advance(ms: number): Promise<void>
}

/** Time that passes only when a test says so. */
export const virtualClock = (startAt = Date.UTC(2026, 0, 1)): VirtualClock => {
  let now = startAt
  const sleepers = new Set<{ readonly until: number; readonly wake: () => void }>()
  return {
    now: () => now,
    sleep: (ms, signal) =>
      new Promise((resolve) => {
        const sleeper = { until: now + ms, wake: () => finish() }
        const finish = () => {
          sleepers.delete(sleeper)
          resolve()
        }
        if (signal?.aborted) return resolve()
        sleepers.add(sleeper)
        signal?.addEventListener('abort', finish, { once: true })
      }),
    advance: async (ms) => {
      now += ms
      for (const sleeper of sleepers) if (sleeper.until <= now) sleeper.wake()
      // All that was woken runs on to its next wait.
      await timeout(0)
    },
  }
}

export interface FreezableClock extends Clock {
  /** From now on time stands still and no sleep ends, as for a process that was stopped. */
  freeze(): void
}

/** A process's own view of a clock. */
export const freezable = (clock: Clock): FreezableClock => {
  let frozenAt: number | null = null
  return {
    now: () => frozenAt ?? clock.now(),
    sleep: (ms, signal) =>
      new Promise((resolve) => {
        void clock.sleep(ms, signal).then(() => (frozenAt === null ? resolve() : undefined))
      }),
    freeze: () => {
      frozenAt = clock.now()
    },
  }
}
