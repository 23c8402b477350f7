import { isoTime } from '../events/text.ts'
import type { Clock, Logger } from '../machines/ports/environment.ts'
import type { ApiKeys, KeptKey } from '../projections/api-keys.ts'
import { type Credential, proves } from './api-key.ts'

/** Keys that are remembered at once; the one looked up least recently goes first. */
const KEYS_MAX = 1_000
const HOUR_MS = 3_600_000
const NO_HASH = '0'.repeat(64)

/** What a credential is worth now. */
export type Verdict =
  | { readonly outcome: 'valid'; readonly key: KeptKey }
  | { readonly outcome: 'unknown' | 'revoked' | 'expired' }

interface Kept {
  readonly atMs: number
  readonly key: Promise<KeptKey | null>
  /** The hour of its last use that was noted, ms; 0: nobody has shown its secret yet. */
  usedMs: number
}

/** The keys of the database as this process knows them: a lookup stands for seconds, so that is how long a revoked key lives. */
export class KeyRing {
  readonly #keys: ApiKeys
  readonly #maxAgeMs: number
  readonly #env: { readonly clock: Clock; readonly logger: Logger }
  readonly #kept = new Map<string, Kept>()
  #any: { readonly atMs: number; readonly answer: Promise<boolean> } | null = null

  constructor(keys: ApiKeys, maxAgeMs: number, env: { clock: Clock; logger: Logger }) {
    this.#keys = keys
    this.#maxAgeMs = maxAgeMs
    this.#env = env
  }

  /** Whether there is, or was, any key: from the first one on, one is needed. Rejects when the database does not answer. */
  async any(): Promise<boolean> {
    const known = this.#any
    if (known !== null && this.#isFresh(known)) return known.answer
    const answer = this.#keys.any()
    this.#any = { atMs: this.#env.clock.now(), answer }
    answer.then(
      // Keys are never deleted.
      (any) => any && this.#any?.answer === answer && (this.#any = { atMs: Infinity, answer }),
      () => (this.#any = null),
    )
    return answer
  }

  /** Whether somebody had the key's secret a while ago, so that it takes no share of what strangers may ask. */
  wasProved({ id }: Credential): boolean {
    return (this.#kept.get(id)?.usedMs ?? 0) > 0
  }

  /** Rejects when the database does not answer. */
  async verify({ id, secret }: Credential): Promise<Verdict> {
    const key = await this.#find(id)
    // Compared for unknown ones too: how long it takes does not tell which ids there are.
    const proved = proves(secret, key?.secretHash ?? NO_HASH)
    if (key === null || !proved) return { outcome: 'unknown' }
    if (key.revokedAt !== null) return { outcome: 'revoked' }
    if (this.#isOver(key)) return { outcome: 'expired' }
    this.#noteUse(key)
    return { outcome: 'valid', key }
  }

  /** A key that somebody had the secret of earlier, when it still counts; null otherwise. */
  async valid(id: string): Promise<KeptKey | null> {
    const key = await this.#find(id)
    return key === null || key.revokedAt !== null || this.#isOver(key) ? null : key
  }

  /** Looks anew, since something was changed here. */
  forget(id: string): void {
    this.#kept.delete(id)
    this.#any = null
  }

  async #find(id: string): Promise<KeptKey | null> {
    const known = this.#kept.get(id)
    if (known !== undefined && this.#isFresh(known)) return known.key
    const kept = { atMs: this.#env.clock.now(), key: this.#keys.find(id), usedMs: known?.usedMs ?? 0 }
    this.#kept.delete(id)
    this.#kept.set(id, kept)
    const [oldest] = this.#kept.keys()
    if (this.#kept.size > KEYS_MAX && oldest !== undefined) this.#kept.delete(oldest)
    kept.key.catch(() => this.#kept.get(id) === kept && this.#kept.delete(id))
    return kept.key
  }

  #isFresh({ atMs }: { readonly atMs: number }): boolean {
    return this.#env.clock.now() - atMs < this.#maxAgeMs
  }

  #isOver({ expiresAt }: KeptKey): boolean {
    return expiresAt !== null && Date.parse(expiresAt) <= this.#env.clock.now()
  }

  /** To the hour: enough to find keys that nobody uses, and one write an hour. */
  #noteUse({ id, lastUsedAt }: KeptKey): void {
    const hourMs = Math.floor(this.#env.clock.now() / HOUR_MS) * HOUR_MS
    const kept = this.#kept.get(id)
    if (kept === undefined || kept.usedMs >= hourMs) return
    kept.usedMs = hourMs
    if (Date.parse(lastUsedAt ?? '') >= hourMs) return
    this.#keys.used(id, isoTime(hourMs)).catch((error: unknown) => {
      this.#env.logger.warn({ key: id, error }, 'the use of a key could not be noted')
    })
  }
}
