import { type Epoch, Fenced } from '../../machines/ports/event-log.ts'

/** A partition as it was granted. */
export interface Grant<Start> {
  readonly partition: number
  readonly epoch: Epoch
  /** What the adapter's lease begins with (head, position), read in the same move that granted it. */
  readonly start: Start
}

/** How far the log was known to be durable: what the lease began with, and its acknowledged commits since. */
export interface Acknowledged {
  /** The number of the last step. */
  readonly step: number
  /** The last inbox position that moved; null when none did. */
  readonly inbox: string | null
}

/** What an adapter builds its `PartitionLease` on. */
export interface HeldLease<Start> extends Grant<Start> {
  readonly lost: AbortSignal
  readonly handover: AbortSignal
  /** Fires when the lease was lost or released. */
  readonly ended: AbortSignal
  /** What is known to be durable. */
  readonly acknowledged: Acknowledged
  /** Notes where the lease begins, and what each commit made durable: a log that is found behind it has lost its tail, and this lease with it. */
  acknowledge(commit: { readonly step: { readonly number: number } | null; readonly inbox: string | null }): void
  /** @throws Fenced, and fires `lost`, when the lease has run out on this process's own clock, or ended. */
  assertHeld(): void
  release(): Promise<void>
}

/** One lease as the keeper sees it: how long it lasts, and whether it should go, went, or was lost. */
export class KeptLease<Start> implements HeldLease<Start> {
  readonly partition: number
  readonly epoch: Epoch
  readonly start: Start
  readonly #lost = new AbortController()
  readonly #handover = new AbortController()
  readonly #ended = new AbortController()
  readonly #now: () => number
  readonly #onRelease: (lease: KeptLease<Start>) => Promise<void>
  #acknowledged: Acknowledged = { step: 0, inbox: null }
  #lastsUntil: number
  #released: Promise<void> = Promise.resolve()

  constructor(
    grant: Grant<Start>,
    lastsUntil: number,
    now: () => number,
    onRelease: (lease: KeptLease<Start>) => Promise<void>,
  ) {
    this.partition = grant.partition
    this.epoch = grant.epoch
    this.start = grant.start
    this.#lastsUntil = lastsUntil
    this.#now = now
    this.#onRelease = onRelease
  }

  get lost(): AbortSignal {
    return this.#lost.signal
  }

  get handover(): AbortSignal {
    return this.#handover.signal
  }

  get ended(): AbortSignal {
    return this.#ended.signal
  }

  /** Neither lost nor released. */
  get live(): boolean {
    return !this.#ended.signal.aborted
  }

  get lastsUntil(): number {
    return this.#lastsUntil
  }

  extend(until: number): void {
    this.#lastsUntil = until
  }

  get acknowledged(): Acknowledged {
    return this.#acknowledged
  }

  acknowledge({ step, inbox }: Parameters<HeldLease<Start>['acknowledge']>[0]): void {
    const last = this.#acknowledged
    this.#acknowledged = { step: step?.number ?? last.step, inbox: inbox ?? last.inbox }
  }

  /** Asks for a graceful end; repeating it changes nothing. */
  handOver(): void {
    this.#handover.abort()
  }

  /** What was released stays released: nobody works on it who would have to stop. */
  lose(): void {
    if (!this.live) return
    this.#ended.abort()
    this.#lost.abort()
  }

  /** Looks at the clock itself, because a process that was stopped for long runs other code before its timers. */
  loseIfOver(): void {
    if (this.live && this.#now() >= this.#lastsUntil) this.lose()
  }

  assertHeld(): void {
    this.loseIfOver()
    if (!this.live) throw new Fenced(`the lease on partition ${this.partition} has ended`)
  }

  release(): Promise<void> {
    if (this.live) {
      this.#ended.abort()
      this.#released = this.#onRelease(this)
    }
    return this.#released
  }
}
