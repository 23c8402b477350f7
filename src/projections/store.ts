import type { Fact } from '../events/fact.ts'
import type { SessionId } from '../events/ids.ts'
import type { Step, StepRef } from '../machines/ports/event-log.ts'

/** A fact with its place in the archive: `ordinal` counts every fact of every session from 1, without a gap. */
export interface ArchivedFact {
  readonly ordinal: number
  readonly fact: Fact
}

/** Every fact, for good. The one reader of the journals; all other projections read the archive. */
export interface Archive {
  /** The last step that the archive has of each partition of this log. @throws when it was written from another log. */
  heads(log: string): Promise<Map<number, StepRef>>
  /**
   * Appends the facts of steps that follow the partition's head (`moved`: they do not, another writer was faster).
   * Steps of one call may be of several partitions.
   */
  append(log: string, steps: readonly Step[]): Promise<'appended' | 'moved'>
  /** Facts behind an ordinal, in order. */
  read(after: number, limit: number): Promise<ArchivedFact[]>
  /** The last ordinal, 0 for an empty archive. */
  head(): Promise<number>
  session(id: SessionId): Promise<Fact[]>
  /** Calls back when the archive may have grown, at the latest some seconds after it did. */
  onGrowth(listener: () => void): () => void
}

/** What a projection writes for one session: columns to set, applied only over rows with a lower `seq`. */
export interface RowPatch {
  readonly sessionId: SessionId
  readonly seq: number
  readonly set: Readonly<Record<string, unknown>>
}

export interface ProjectionStatus {
  readonly name: string
  /** The ordinal up to which its rows are. */
  readonly position: number
  /** Rows that the database refused, with the facts behind them. */
  readonly setAside: number
}

/** Tables that people query, each with its position stored in the transaction of its rows. */
export interface ProjectionTables {
  position(name: string): Promise<number>
  /** Writes the patches and moves the position from `from` to `to` (`moved`: it was not at `from`, nothing is written). */
  apply(name: string, from: number, to: number, patches: readonly RowPatch[]): Promise<'applied' | 'moved'>
  status(): Promise<ProjectionStatus[]>
  /** Tries again, in order, what was set aside. Answers how many sessions are set aside still. */
  retrySetAside(name: string): Promise<number>
}
