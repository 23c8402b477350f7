import type { SessionId } from '../events/ids.ts'
import type { Channel, Owner } from '../events/owner.ts'
import type { Page } from './page.ts'

export const ORPHAN_CLASSES = ['orphan_row', 'orphan_charge', 'orphan_object'] as const
export type OrphanClass = (typeof ORPHAN_CLASSES)[number]

/** Something that lost its other half: a row without a task, a charge without a row, an image without a completed session. */
export interface Orphan {
  readonly class: OrphanClass
  readonly sessionId: SessionId | null
  readonly channel: Channel | null
  readonly ownerId: string | null
  readonly requestId: string | null
  /** When it was made, ISO 8601. */
  readonly since: string
  readonly credits: number
  /** Its credit may be given back without a person. */
  readonly settles: boolean
  readonly detail: string
}

/** A session row for which no task came. */
export interface OrphanRow {
  readonly sessionId: SessionId
  readonly owner: Owner
  readonly requestId: string | null
}

/** A result in storage. */
export interface StoredResult {
  readonly path: string
  readonly sessionId: SessionId
  /** ISO 8601. */
  readonly storedAt: string
}

/** Nothing younger is called an orphan: its task may be on its way. */
export const ORPHAN_AGE_MS = 15 * 60_000

export interface Orphans {
  /** The newest first. */
  list(filter: { class?: OrphanClass; cursor?: string; limit: number }): Promise<Page<Orphan>>
  /** Rows made before a moment that may be given up without a person, the oldest first. */
  rows(filter: { before: string; limit: number }): Promise<OrphanRow[]>
  /** The row of this session, if it is an orphan. */
  row(session: SessionId): Promise<OrphanRow | null>
  /** Notes which of these results have no completed session; `last`: what this look did not find is gone. `at`: of the look. */
  noteObjects(results: readonly StoredResult[], at: string, last: boolean): Promise<void>
}
