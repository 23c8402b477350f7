import type { Clock } from '../../machines/ports/environment.ts'
import { askingOrder, fairShare } from './fair-share.ts'
import { type Grant, type HeldLease, KeptLease } from './kept-lease.ts'
import type { LeaseTable, Pulse } from './lease-table.ts'

/** Three beats may fail in a row before a lease is in danger. */
const BEATS_PER_TTL = 4
/** Clocks of two machines may run apart by this much of a lease's time; then ours still ends first. */
const MARGIN = 0.2
/** A partition that its owner gave up by itself is left to others for this many leases' time, so that a fault makes no hot loop. */
const COOL_DOWN_TTLS = 2

export interface KeeperOptions<Start> {
  readonly table: LeaseTable<Start>
  readonly member: string
  /** Must never go back, and run on while the process is stopped. */
  readonly clock: Clock
  /** A silent process loses its partitions after this time. */
  readonly ttlMs: number
  /** How long a shutdown waits for the work on leases to end. */
  readonly drainMs: number
  readonly work: (lease: HeldLease<Start>) => Promise<void>
  /** Hears of what is tried again. */
  readonly onError: (error: unknown) => void
}

/**
 * Holds this member's fair share of the partitions until the signal aborts, then hands all of them over.
 * @throws when the table could not be reached for the time of a lease: by then all are lost.
 */
export const keepLeases = <Start>(options: KeeperOptions<Start>, signal: AbortSignal): Promise<void> =>
  new LeaseKeeper(options).run(signal)

class LeaseKeeper<Start> {
  readonly #options: KeeperOptions<Start>
  readonly #leases = new Map<number, KeptLease<Start>>()
  /** Also partitions that were lost, until the work on them has ended: the same partition is never worked on twice here. */
  readonly #work = new Map<number, Promise<void>>()
  readonly #coolUntil = new Map<number, number>()
  #waker = new AbortController()
  #awake = false
  #reachedAt: number

  constructor(options: KeeperOptions<Start>) {
    this.#options = options
    this.#reachedAt = options.clock.now()
  }

  async run(signal: AbortSignal): Promise<void> {
    const ended = new AbortController()
    const wake = () => this.#wake()
    const stopListening = this.#options.table.onChange(wake)
    signal.addEventListener('abort', wake)
    const watch = this.#watch(ended.signal)
    try {
      while (!signal.aborted) await this.#round()
      await this.#drain()
    } finally {
      stopListening()
      signal.removeEventListener('abort', wake)
      await this.#abandon()
      ended.abort()
      await watch
    }
  }

  async #round(): Promise<void> {
    const pulse = await this.#beat(true)
    if (pulse !== null) await this.#balance(pulse)
    await this.#pause()
  }

  /** Null when the table did not answer; what is held lasts on until its time is over. */
  async #beat(joins: boolean): Promise<Pulse | null> {
    const { table, member, ttlMs, clock, onError } = this.#options
    const held = this.#live()
    const sentAt = clock.now()
    try {
      const pulse = await table.beat(member, held, ttlMs, joins)
      this.#reachedAt = sentAt
      for (const lease of held) {
        if (pulse.extended.has(lease.partition)) lease.extend(this.#lastsUntil(sentAt))
        else if (lease.live && !pulse.unknown?.has(lease.partition)) lease.lose()
      }
      if (pulse.unknown?.size) onError(new Error(`nobody answers for partitions ${[...pulse.unknown].join(', ')}`))
      return pulse
    } catch (error) {
      if (clock.now() - this.#reachedAt > ttlMs) throw error
      onError(error)
      return null
    }
  }

  async #balance(pulse: Pulse): Promise<void> {
    const { table, member } = this.#options
    const staying = this.#live().filter(({ handover }) => !handover.aborted)
    const share = fairShare(table.partitions, pulse.members, member)
    // The youngest go first: the others have warmer working sets.
    for (const lease of staying.slice(share)) lease.handOver()
    const wanted = askingOrder(pulse.free, pulse.members, member).filter((partition) => this.#mayTake(partition))
    if (staying.length < share && wanted.length > 0) await this.#acquire(wanted.slice(0, share - staying.length))
  }

  #mayTake(partition: number): boolean {
    return !this.#work.has(partition) && (this.#coolUntil.get(partition) ?? 0) <= this.#options.clock.now()
  }

  async #acquire(partitions: readonly number[]): Promise<void> {
    const { table, member, ttlMs, clock } = this.#options
    const sentAt = clock.now()
    try {
      for (const grant of await table.acquire(member, partitions, ttlMs)) this.#begin(grant, sentAt)
    } catch (error) {
      this.#options.onError(error)
    }
  }

  #begin(grant: Grant<Start>, sentAt: number): void {
    const { clock } = this.#options
    const now = () => clock.now()
    const lease = new KeptLease(grant, this.#lastsUntil(sentAt), now, (released) => this.#release(released))
    this.#leases.set(lease.partition, lease)
    this.#work.set(lease.partition, this.#workOn(lease))
  }

  /** Never rejects: one partition that fails must not disturb the others. */
  async #workOn(lease: KeptLease<Start>): Promise<void> {
    const { work, clock, ttlMs, onError } = this.#options
    await work(lease).catch(onError)
    if (!lease.handover.aborted && !lease.lost.aborted) {
      this.#coolUntil.set(lease.partition, clock.now() + COOL_DOWN_TTLS * ttlMs)
    }
    await lease.release()
    this.#leases.delete(lease.partition)
    this.#work.delete(lease.partition)
    this.#wake()
  }

  async #release(lease: KeptLease<Start>): Promise<void> {
    const { table, member, onError } = this.#options
    // A release that does not arrive is made good by the next beat, which no longer names the partition.
    await table.release(member, [lease]).catch(onError)
  }

  /** Beats on, taking no share any more, until the work has ended or its time is over. */
  async #drain(): Promise<void> {
    const { table, member, clock, drainMs, onError } = this.#options
    const deadline = clock.now() + drainMs
    for (const lease of this.#leases.values()) lease.handOver()
    while (this.#work.size > 0 && clock.now() < deadline) {
      await this.#beat(false)
      if (this.#work.size > 0) await this.#pause()
    }
    for (const lease of this.#live()) lease.lose()
    await table.leave(member).catch(onError)
  }

  /** Takes what is left from the work, and waits for it: whoever calls `own` again must not find it running. */
  async #abandon(): Promise<void> {
    const { clock, drainMs } = this.#options
    for (const lease of this.#leases.values()) lease.lose()
    if (this.#work.size === 0) return
    const ended = new AbortController()
    await Promise.race([Promise.all(this.#work.values()), clock.sleep(drainMs, ended.signal)])
    ended.abort()
  }

  /** Fires `lost` of every lease that was not extended in time, also while a beat hangs. */
  async #watch(ended: AbortSignal): Promise<void> {
    const { clock } = this.#options
    while (!ended.aborted) {
      for (const lease of this.#leases.values()) lease.loseIfOver()
      // A lease that is granted meanwhile lasts longer than this sleep.
      const next = Math.min(this.#lastsUntil(clock.now()), ...this.#live().map(({ lastsUntil }) => lastsUntil))
      await clock.sleep(Math.max(next - clock.now(), 1), ended)
    }
  }

  #live(): KeptLease<Start>[] {
    return [...this.#leases.values()].filter(({ live }) => live)
  }

  #lastsUntil(sentAt: number): number {
    return sentAt + this.#options.ttlMs * (1 - MARGIN)
  }

  async #pause(): Promise<void> {
    const { clock, ttlMs } = this.#options
    this.#waker = new AbortController()
    if (this.#awake) this.#waker.abort()
    await clock.sleep(ttlMs / BEATS_PER_TTL, this.#waker.signal)
    this.#awake = false
  }

  #wake(): void {
    this.#awake = true
    this.#waker.abort()
  }
}
