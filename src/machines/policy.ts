import type { CountedRetry } from '../events/codes.ts'

/** How patient the system is. Times in ms. Every limit of a session's life stands here; `config.ts` may change them. */
export interface Policy {
  /** Further tries after the first, by what went wrong (`RetryClass` in `codes.ts`). */
  readonly retries: Readonly<Record<CountedRetry, number>>
  readonly backoff: Backoff
  /** The wait after a rate limit that names no `Retry-After`. */
  readonly rateLimitWaitMs: number
  /** A try that has no outcome by then is aborted; its outcome is unknown. */
  readonly tryTimeoutMs: number
  /** A session that waited longer fails: its input URLs die. Until then an outage of our storage or tables is waited out. */
  readonly queueAgeMaxMs: number
  /** After so many starts without an outcome the session itself is suspected, and fails as `crashed`. */
  readonly crashesMax: number
  readonly refund: {
    readonly backoff: Backoff
    /** A refund that is owed longer than this is escalated to an operator. */
    readonly escalateAfterMs: number
    /** Escalated refunds are still tried, this often. */
    readonly escalatedEveryMs: number
    readonly timeoutMs: number
  }
}

export interface Backoff {
  readonly firstMs: number
  readonly maxMs: number
}

export const defaultPolicy: Policy = {
  retries: { transient: 3, rate_limited: 1, unknown: 1 },
  backoff: { firstMs: 2_000, maxMs: 60_000 },
  rateLimitWaitMs: 10_000,
  tryTimeoutMs: 200_000,
  queueAgeMaxMs: 3_600_000,
  crashesMax: 5,
  refund: {
    backoff: { firstMs: 1_000, maxMs: 300_000 },
    escalateAfterMs: 3_600_000,
    escalatedEveryMs: 3_600_000,
    timeoutMs: 15_000,
  },
}

/** Exponential backoff with jitter: uniform between half and all of `firstMs · 2^tries`, bounded by `maxMs`. */
export const backoffMs = ({ firstMs, maxMs }: Backoff, tries: number, random: number): number =>
  Math.round(Math.min(maxMs, firstMs * 2 ** Math.min(tries, 30)) * (0.5 + random / 2))
