import type { Clock } from '../../machines/ports/environment.ts'
import type { Anchors } from './anchors.ts'
import type { Journal } from './journal.ts'
import type { Letters } from './letters.ts'
import type { Links } from './links.ts'
import type { News } from './news.ts'
import type { Outbox } from './outbox.ts'
import type { Readers } from './readers.ts'
import type { Topics } from './topics.ts'
import type { Bounds, Wire } from './wire.ts'

/** What all leases of one process share. */
export interface LogContext {
  readonly topics: Topics
  readonly links: Links
  readonly wire: Wire
  readonly anchors: Anchors
  readonly outbox: Outbox
  readonly news: News
  readonly journal: Journal
  readonly inboxBounds: (partition: number) => Promise<Bounds>
  readonly letters: Letters
  readonly readers: Readers
  readonly clock: Clock
  /** Hears of what was lost and could be made good. */
  readonly onError: (error: unknown) => void
  readonly tombstonesMax: number
  /** A checkpoint is due once this much was written since the last one, and at least as much as it will have itself. */
  readonly checkpointBytes: number
}
