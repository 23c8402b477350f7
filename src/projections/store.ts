import type { Fact } from '../events/fact.ts'
import type { SessionId } from '../events/ids.ts'
import type { Step, StepRef } from '../machines/ports/event-log.ts'
import type { History } from '../machines/ports/history.ts'
import type { Pauses } from '../machines/ports/pauses.ts'
import type { Platform } from '../machines/ports/platform.ts'
import type { ApiKeys, Audit } from './api-keys.ts'
import type { Erasure } from './erasure.ts'
import type { Handbacks } from './hand-back.ts'
import type { Orphans } from './orphans.ts'
import type { Past } from './past.ts'
import type { Acceptances, Queries } from './queries.ts'

/** A fact with its place in the archive: `ordinal` counts every fact of every session from 1, without a gap. */
export interface ArchivedFact {
  readonly ordinal: number
  readonly fact: Fact
}

/** The last step that the archive has of a partition, and the identity of the log that it was read from. */
export interface ArchiveHead extends StepRef {
  readonly log: string
}

/** The database refused facts for what is in them; what it does not refuse for that may be tried again. */
export class ArchiveRefused extends Error {
  override readonly name = 'ArchiveRefused'
}

/** Every fact, for good. The one reader of the journals; all other projections read the archive. */
export interface Archive {
  /** Where the archive stands in each partition that it has read from; a repair is under way where the logs differ. */
  heads(): Promise<Map<number, ArchiveHead>>
  /**
   * Appends the facts of steps that follow their partitions' heads, all or none (`moved`: one does not, another writer was
   * faster). Steps of one call may be of several partitions, in order within each. Answers the last ordinal. @throws
   * ArchiveRefused
   */
  append(log: string, steps: readonly Step[]): Promise<number | 'moved'>
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
  /** Patches that the database refused, with those that wait behind them. */
  readonly setAside: number
  /** Patches of sessions whose row is not there any more: the platform's tables are never added to. */
  readonly gone: number
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

/** What a rebuild found different from the facts, before it corrected that. */
export interface DriftReport {
  readonly position: number
  /** Sessions that the facts have rows for. */
  readonly rows: number
  /** Sessions with any difference; `row` among the columns stands for a missing or a superfluous row. */
  readonly drifted: number
  readonly columns: Readonly<Record<string, { readonly count: number; readonly samples: readonly DriftSample[] }>>
}

export interface DriftSample {
  readonly sessionId: string
  readonly was: unknown
  readonly now: unknown
}

/** Computes a projection's rows aside, under the name `<name>.shadow`, and puts them in the place of the live ones. */
export interface Rebuilds {
  /** Empties the shadow; `apply(shadowName(name), …)` fills it from position 0. */
  begin(name: string): Promise<void>
  /**
   * Reports how the live rows differ from the shadow's and corrects them in place, a part at a time, each in its own
   * transaction. `behind`: the two do not stand at the same fact; `position` is the live one.
   */
  switchOver(name: string): Promise<({ outcome: 'switched' } & DriftReport) | { outcome: 'behind'; position: number }>
}

export const shadowName = (name: string): string => `${name}.shadow`

/** Who inserts session rows: the platform's producers alone, or also this system on tables of its own. */
export type RowsOwner = 'platform' | 'ours'

/** Everything that one database holds for us: the ports that adapters implement together. */
export interface Store {
  readonly archive: Archive
  readonly history: History
  readonly platform: Platform
  readonly tables: ProjectionTables
  readonly rebuilds: Rebuilds
  readonly queries: Queries
  readonly acceptances: Acceptances
  readonly past: Past
  readonly orphans: Orphans
  readonly erasure: Erasure
  readonly apiKeys: ApiKeys
  readonly audit: Audit
  readonly pauses: Pauses
  readonly handbacks: Handbacks
  /** Ends what waits for notifications; the connection is its owner's to close. */
  close(): Promise<void>
}
