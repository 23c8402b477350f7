import type { Environment } from '../../machines/ports/environment.ts'
import type { Gate } from '../../machines/ports/generator.ts'

/** How long it stays open at first, and at most: between two probes. Each probe that is refused ends one session. */
const FIRST_OPEN_MS = 30_000
const MAX_OPEN_MS = 600_000
/** What a rate limit without a `Retry-After` asks for (CONTRACT section 5), and the longest that others wait for one's. */
const LIMITED_MS = 10_000
const LIMITED_MAX_MS = 60_000

/** A call that may be made, or how long to wait, in ms. */
export type Entry = { readonly probe: boolean } | { readonly waitMs: number }

/**
 * Opens when the provider refuses the whole account. While it is open no try starts: sessions wait in line as they are, and only a
 * probe goes through now and then. A try that had begun already comes away without a call. A rate limit makes the others wait
 * likewise, so that they do not spend their only retry on it. Docs: `docs/openai.md`.
 */
export class Breaker implements Gate {
  readonly #env: Environment
  /** Zero while it is closed. */
  #openMs = 0
  #probeAt = 0
  #limitedUntil = 0
  /** A probe was let through the gate and has not called yet. */
  #permit = false

  constructor(env: Environment) {
    this.#env = env
    env.meter.gauge('provider_breaker_open', 0)
  }

  take(): boolean {
    if (this.waitMs() > 0) return false
    if (this.#openMs === 0) return true
    // Should the probe end without a call, the next one has its turn after the same time.
    this.#permit = true
    this.#probeAt = this.#env.clock.now() + this.#openMs
    return true
  }

  waitMs(): number {
    return Math.max(0, (this.#openMs === 0 ? this.#limitedUntil : this.#probeAt) - this.#env.clock.now())
  }

  /** Asked right before a call. */
  enter(): Entry {
    const waitMs = this.waitMs()
    if (this.#openMs === 0) return waitMs > 0 ? { waitMs } : { probe: false }
    if (!this.#permit) return { waitMs: Math.max(1_000, waitMs) }
    this.#permit = false
    return { probe: true }
  }

  /** The provider asks for a pause: too many requests came. */
  limited(waitMs = LIMITED_MS): void {
    this.#limitedUntil = this.#env.clock.now() + Math.min(waitMs, LIMITED_MAX_MS)
  }

  /** The provider refused the account. What was under way when it opened does not open it further. */
  refused({ probe }: { probe: boolean }, why: object): void {
    if (this.#openMs > 0 && !probe) return
    this.#openMs = this.#openMs === 0 ? FIRST_OPEN_MS : Math.min(MAX_OPEN_MS, this.#openMs * 2)
    this.#probeAt = this.#env.clock.now() + this.#openMs
    this.#permit = false
    this.#env.meter.gauge('provider_breaker_open', 1)
    this.#env.logger.error(
      { alert: true, ...why, nextProbeMs: this.#openMs },
      'the provider refuses the account: no generation starts until a probe is accepted; see to key, budget and model',
    )
  }

  /** The provider worked on a request, whatever it made of it. */
  accepted({ probe }: { probe: boolean }): void {
    if (this.#openMs === 0 || !probe) return
    this.#openMs = 0
    this.#env.meter.gauge('provider_breaker_open', 0)
    this.#env.logger.info({}, 'the provider accepts the account again')
  }
}
