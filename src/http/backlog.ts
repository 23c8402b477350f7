import type { Clock } from '../machines/ports/environment.ts'

/** Tenants whose count is remembered at once; the one asked least recently goes first. */
const TENANTS_MAX = 10_000

interface Counted {
  readonly atMs: number
  readonly count: Promise<number>
  /** Accepted here since the count was read. */
  accepted: number
}

/** How many sessions of a tenant have not ended: counted at most so often, plus what was accepted here meanwhile. */
export class Backlog {
  readonly #count: (tenant: string) => Promise<number>
  readonly #maxAgeMs: number
  readonly #clock: Clock
  readonly #tenants = new Map<string, Counted>()

  constructor(count: (tenant: string) => Promise<number>, maxAgeMs: number, clock: Clock) {
    this.#count = count
    this.#maxAgeMs = maxAgeMs
    this.#clock = clock
  }

  async of(tenant: string): Promise<number> {
    const counted = this.#fresh(tenant) ?? this.#read(tenant)
    return (await counted.count) + counted.accepted
  }

  /** A session more, until the next count shows it. */
  accepted(tenant: string): void {
    const counted = this.#tenants.get(tenant)
    if (counted !== undefined) counted.accepted += 1
  }

  #fresh(tenant: string): Counted | null {
    const known = this.#tenants.get(tenant)
    return known !== undefined && this.#clock.now() - known.atMs < this.#maxAgeMs ? known : null
  }

  #read(tenant: string): Counted {
    const counted = { atMs: this.#clock.now(), count: this.#count(tenant), accepted: 0 }
    this.#tenants.delete(tenant)
    this.#tenants.set(tenant, counted)
    const [oldest] = this.#tenants.keys()
    if (this.#tenants.size > TENANTS_MAX && oldest !== undefined) this.#tenants.delete(oldest)
    counted.count.catch(() => {
      if (this.#tenants.get(tenant) === counted) this.#tenants.delete(tenant)
    })
    return counted
  }
}
