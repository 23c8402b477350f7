import type { Clock } from '../machines/ports/environment.ts'

/** Callers that are remembered at once; the one seen least recently goes first, and begins anew. */
const CALLERS_MAX = 10_000
const WINDOW_S = 60

/** What is left of a caller's share after a request. */
export interface Share {
  readonly allowed: boolean
  /** The standard headers (draft-ietf-httpapi-ratelimit-headers-10), and Retry-After when there is nothing left. */
  readonly headers: Readonly<Record<string, string>>
}

interface Bucket {
  tokens: number
  atMs: number
}

/** A bucket per caller that holds one minute's requests and fills steadily. Of this process alone: several allow as much each. */
export class RateLimit {
  readonly #name: string
  readonly #perMinute: number
  readonly #clock: Clock
  readonly #buckets = new Map<string, Bucket>()

  /** `name`: in the headers, so in printable ASCII. */
  constructor(name: string, perMinute: number, clock: Clock) {
    this.#name = name
    this.#perMinute = perMinute
    this.#clock = clock
  }

  take(caller: string): Share {
    const bucket = this.#filled(caller)
    const allowed = bucket.tokens >= 1
    if (allowed) bucket.tokens -= 1
    const perSecond = this.#perMinute / WINDOW_S
    const full = Math.ceil((this.#perMinute - bucket.tokens) / perSecond)
    const headers = {
      'RateLimit-Policy': `"${this.#name}";q=${this.#perMinute};w=${WINDOW_S}`,
      RateLimit: `"${this.#name}";r=${Math.floor(bucket.tokens)};t=${full}`,
    }
    if (allowed) return { allowed, headers }
    const retry = Math.max(1, Math.ceil((1 - bucket.tokens) / perSecond))
    return { allowed, headers: { ...headers, 'Retry-After': String(retry) } }
  }

  #filled(caller: string): Bucket {
    const nowMs = this.#clock.now()
    const known = this.#buckets.get(caller) ?? { tokens: this.#perMinute, atMs: nowMs }
    const gained = ((nowMs - known.atMs) / 1_000) * (this.#perMinute / WINDOW_S)
    const bucket = { tokens: Math.min(this.#perMinute, known.tokens + gained), atMs: nowMs }
    this.#buckets.delete(caller)
    this.#buckets.set(caller, bucket)
    const [oldest] = this.#buckets.keys()
    if (this.#buckets.size > CALLERS_MAX && oldest !== undefined) this.#buckets.delete(oldest)
    return bucket
  }
}
