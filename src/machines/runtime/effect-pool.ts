import type { Clock } from '../ports/environment.ts'
import type { Gate } from '../ports/generator.ts'
import { FairQueue, type Queued } from './fair-queue.ts'

/** Work that waits for a slot. */
export interface Candidate extends Queued {
  /** It has killed a process before, or may have: it runs alone. */
  readonly suspect: boolean
  /** Called once when a slot is free for it; the slot is the callee's until it releases it. */
  grant(slot: Slot): void
}

/** The right to run one effect. Release it exactly once. */
export interface Slot {
  release(): void
}

/** Whose work is held back: everybody's, or that of some tenants. */
export interface Held {
  readonly all: boolean
  readonly tenants: ReadonlySet<string>
}

export const EVERYTHING: Held = { all: true, tenants: new Set() }
const NOTHING: Held = { all: false, tenants: new Set() }

/**
 * A bounded number of effects at once over all partitions of this process, fair between tenants, within the rate share.
 * A suspect runs alone, so that a picture that kills the process takes no other session's try with it; between two suspects
 * the others get a full round.
 */
export class EffectPool {
  readonly #concurrency: number
  readonly #rate: Gate
  readonly #clock: Clock
  readonly #queue = new FairQueue<Candidate>()
  readonly #suspects = new FairQueue<Candidate>()
  /** The work of tenants that are held back. */
  readonly #parked = new FairQueue<Candidate>()
  #held = NOTHING
  #running = 0
  #suspectRuns = false
  /** How many others may still start before the next suspect's turn. */
  #roundLeft = 0
  #open = true
  #admitting = false
  #waitsForRate = false

  constructor(concurrency: number, rate: Gate, clock: Clock) {
    this.#concurrency = concurrency
    this.#rate = rate
    this.#clock = clock
  }

  get running(): number {
    return this.#running
  }

  get waiting(): number {
    return this.#queue.size + this.#suspects.size + this.#parked.size
  }

  offer(candidate: Candidate): void {
    this.#queueFor(candidate).add(candidate)
    this.#admit()
  }

  /**
   * A slot at once for a tenant's work that is no suspect, when one is free and nobody waits for it; otherwise null: offer the
   * work.
   */
  claim(tenant: string): Slot | null {
    if (!this.#isFree() || this.#held.tenants.has(tenant)) return null
    const isAwaited = this.#queue.size + this.#suspects.size > 0
    return !isAwaited && this.#rate.take() ? this.#take() : null
  }

  /** From now on work that is held waits, in its order, until it is not held any more; what runs may end. */
  hold(held: Held): void {
    const before = this.#held
    this.#held = held
    for (const tenant of held.tenants) {
      if (before.tenants.has(tenant)) continue
      for (const queue of [this.#queue, this.#suspects]) this.#sort(queue.takeOut(tenant))
    }
    for (const tenant of before.tenants) if (!held.tenants.has(tenant)) this.#sort(this.#parked.takeOut(tenant))
    this.#admit()
  }

  /** Takes back an offer that was not granted yet. */
  retract(id: string): void {
    this.#queue.remove(id)
    this.#suspects.remove(id)
    this.#parked.remove(id)
    this.#admit()
  }

  /** From now on nothing new starts; what runs may end. */
  close(): void {
    this.#open = false
  }

  #admit(): void {
    // grant() may offer or release again: the outer call's loop sees what changed.
    if (this.#admitting) return
    this.#admitting = true
    try {
      while (this.#mayStart() && this.#hasRate()) {
        if (!this.#startNext()) break
      }
    } finally {
      this.#admitting = false
    }
  }

  #mayStart(): boolean {
    if (!this.#isFree()) return false
    return this.#suspectsTurn() ? this.#running === 0 : this.#queue.size > 0
  }

  #isFree(): boolean {
    return this.#open && !this.#held.all && !this.#suspectRuns && this.#running < this.#concurrency
  }

  #queueFor({ tenant, suspect }: Candidate): FairQueue<Candidate> {
    if (this.#held.tenants.has(tenant)) return this.#parked
    return suspect ? this.#suspects : this.#queue
  }

  #sort(candidates: readonly Candidate[]): void {
    for (const candidate of candidates) this.#queueFor(candidate).add(candidate)
  }

  #suspectsTurn(): boolean {
    return this.#suspects.size > 0 && (this.#roundLeft <= 0 || this.#queue.size === 0)
  }

  #startNext(): boolean {
    const suspect = this.#suspectsTurn()
    const candidate = suspect ? this.#suspects.next() : this.#queue.next()
    if (candidate === undefined) return false
    this.#suspectRuns = suspect
    this.#roundLeft = suspect ? this.#concurrency : this.#roundLeft - 1
    candidate.grant(this.#take())
    return true
  }

  #take(): Slot {
    this.#running += 1
    let held = true
    return {
      release: () => {
        if (!held) return
        held = false
        this.#running -= 1
        this.#suspectRuns = false
        this.#admit()
      },
    }
  }

  /** Takes a token for the next start, or comes back when one is there. */
  #hasRate(): boolean {
    if (this.#rate.take()) return true
    if (!this.#waitsForRate) {
      this.#waitsForRate = true
      void this.#clock.sleep(Math.min(this.#rate.waitMs(), 1_000) + 1).then(() => {
        this.#waitsForRate = false
        this.#admit()
      })
    }
    return false
  }
}
