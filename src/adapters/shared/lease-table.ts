import type { Epoch } from '../../machines/ports/event-log.ts'
import type { Acknowledged, Grant } from './kept-lease.ts'

/** A lease as its owner names it to the table. */
export interface LeaseRef {
  readonly partition: number
  readonly epoch: Epoch
  /** An idle owner asks for nothing: only by this does it notice that the log went back behind what it acknowledged. */
  readonly acknowledged: Acknowledged
}

/** What a beat finds out. */
export interface Pulse {
  /** Which of the held partitions are held for another `ttlMs`; the missing ones are someone else's, or lost their tail. */
  readonly extended: ReadonlySet<number>
  /** Who takes a share, in an order that all members see alike. */
  readonly members: readonly string[]
  readonly free: readonly number[]
  /** Of which nobody knows now: held ones last on until their time is over. */
  readonly unknown?: ReadonlySet<number>
}

/** Where a log keeps its leases. Times are on the table's clock; every call lasts one round trip for all partitions. */
export interface LeaseTable<Start> {
  readonly partitions: number
  /**
   * Notes that the member lives (and takes a share when `joins`), extends what it holds and frees what else stands under
   * its name: an acquisition whose answer was lost, a release that did not arrive.
   */
  beat(member: string, held: readonly LeaseRef[], ttlMs: number, joins: boolean): Promise<Pulse>
  /** Takes those that are free still, each with a higher epoch number and a new token. */
  acquire(member: string, partitions: readonly number[], ttlMs: number): Promise<Grant<Start>[]>
  /** Frees what is still held under these epochs. */
  release(member: string, held: readonly LeaseRef[]): Promise<void>
  leave(member: string): Promise<void>
  /** Calls back when a member came or went or a partition became free. May miss one: the next beat sees it. */
  onChange(listener: () => void): () => void
}
