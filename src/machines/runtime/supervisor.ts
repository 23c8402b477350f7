import { errorName } from '../error-name.ts'
import { type Backoff, backoffMs } from '../policy.ts'
import type { Environment } from '../ports/environment.ts'

const restart: Backoff = { firstMs: 200, maxMs: 30_000 }
/** A loop that ran this long before it failed starts its backoff anew. */
const HEALTHY_MS = 60_000

export interface LoopStatus {
  readonly name: string
  readonly state: 'running' | 'waiting' | 'stopped'
  readonly restarts: number
  readonly lastError: string | null
  /** When the loop last showed that it turns, ms since the epoch. */
  readonly seenAt: number
}

export interface Loop {
  readonly status: () => LoopStatus
  /** Resolves when the loop has ended for good; never rejects. */
  readonly ended: Promise<void>
}

/** Runs a loop until the signal aborts; one that fails or returns early is restarted with backoff, and everyone can see it. */
export const supervise = (
  name: string,
  loop: (alive: () => void, signal: AbortSignal) => Promise<void>,
  env: Environment,
  signal: AbortSignal,
): Loop => {
  let status: LoopStatus = { name, state: 'running', restarts: 0, lastError: null, seenAt: env.clock.now() }
  const alive = () => {
    status = { ...status, seenAt: env.clock.now() }
  }
  const run = async () => {
    for (let failures = 0; !signal.aborted; failures++) {
      const startedAt = env.clock.now()
      status = { ...status, state: 'running', seenAt: startedAt }
      const turned = Promise.resolve().then(() => loop(alive, signal))
      const error: unknown = await turned.then(
        () => 'ended early',
        (reason: unknown) => reason,
      )
      if (signal.aborted) break
      if (env.clock.now() - startedAt > HEALTHY_MS) failures = 0
      status = { ...status, state: 'waiting', restarts: status.restarts + 1, lastError: nameOf(error) }
      env.meter.count('loop_restarts_total', { loop: name })
      env.logger.error({ loop: name, error }, 'loop failed and will be restarted')
      await env.clock.sleep(backoffMs(restart, failures, env.random()), signal)
    }
    status = { ...status, state: 'stopped' }
  }
  return { status: () => status, ended: run() }
}

const nameOf = (error: unknown): string => (typeof error === 'string' ? error : errorName(error))
