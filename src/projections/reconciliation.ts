import type { SessionId } from '../events/ids.ts'
import type { Channel } from '../events/owner.ts'
import type { AgeBucket, BookClass } from './books.ts'
import type { Page } from './page.ts'
import type { RefundView } from './refund-view.ts'

/** Which part of the books is looked at. Sessions count for the time at which they were requested. */
export interface BookScope {
  /** The moment whose books are asked for, ISO 8601: what happened later is left out. Now, when absent. */
  readonly asOf?: string
  /** ISO 8601; `until` is outside. */
  readonly from?: string
  readonly until?: string
  /** A store or a user. */
  readonly owner?: string
  readonly session?: SessionId
}

/** What some sessions come to, in credits. */
interface BookSums {
  readonly sessions: number
  readonly charged: number
  readonly kept: number
  readonly givenBack: number
  readonly owed: number
  /** Charged for sessions that have not ended. */
  readonly open: number
  /** Credits that are not where the facts say. */
  readonly drift: number
  /** How many lines fall in each class; a class without any is absent. */
  readonly classes: Readonly<Partial<Record<BookClass, number>>>
}

/** Do the books balance? In credits; `charged = kept + givenBack + owed + open` holds when there are no imbalances. */
export interface ReconciliationSummary extends BookSums {
  readonly asOf: string
  /** The archive's ordinal that this was computed from. */
  readonly position: number
  /** Transactions of the credit tables until then. */
  readonly ledgerLines: number
  /** The same moment and positions give the same checksum, unless somebody edited what was there before. */
  readonly checksum: string
  readonly escalated: number
  readonly oldestOwedSeconds: number | null
  /** What is owed, by how long it has been. */
  readonly ages: Readonly<Partial<Record<AgeBucket, { readonly sessions: number; readonly credits: number }>>>
  /** `unknown`: rejected tasks, whose owner nobody knows. */
  readonly channels: Readonly<Partial<Record<Channel | 'unknown', ChannelTotal>>>
  readonly balanced: boolean
}

export interface ChannelTotal {
  readonly sessions: number
  readonly charged: number
  readonly givenBack: number
  readonly drift: number
}

/** A line of the books that has a name of its own: a session, a refund, an account's balance, a user's day, an orphan. */
export interface BookLine {
  readonly class: BookClass
  readonly kind: 'session' | 'refund' | 'account' | 'day' | 'charge' | 'object'
  readonly sessionId: SessionId | null
  readonly channel: Channel | null
  readonly ownerId: string | null
  /** A shopper's. */
  readonly email: string | null
  readonly ledgerRecord: string | null
  readonly since: string
  readonly charged: number
  readonly givenBack: number
  readonly drift: number
  /** For a person: how the session ended, what the ledger says. */
  readonly detail: string
}

/** What an owner's sessions of one day come to. */
export interface BookTotal extends BookSums {
  /** YYYY-MM-DD, UTC. */
  readonly day: string
  readonly channel: Channel | null
  readonly ownerId: string | null
}

/** A summary of all books that was kept. */
export interface ReconciliationRun extends ReconciliationSummary {
  readonly id: string
}

/** One refund with what lies behind it in the database, as it is now. */
export interface RefundStory {
  readonly refund: RefundView | null
  /** What the refund function decided, and on what. */
  readonly decision: {
    readonly kind: 'issued' | 'waived' | 'settled'
    readonly data: object
    readonly evidence: object | null
    readonly recordedAt: string | null
  } | null
  readonly ledger: readonly LedgerLine[]
}

/** A transaction of the platform's credit tables. */
export interface LedgerLine {
  readonly id: string
  readonly type: string
  readonly amount: number
  /** `user:<id>` or `store:<id>`. */
  readonly account: string
  readonly description: string | null
  readonly createdAt: string
}

/** The refunds held against the platform's credit tables, both ways. */
export interface Books {
  reconciliation(scope?: BookScope): Promise<ReconciliationSummary>
  /** Lines of one class, or of every class that somebody should look at; the newest session first, balances before all. */
  bookLines(filter: BookScope & { class?: BookClass; cursor?: string; limit: number }): Promise<Page<BookLine>>
  /** Per day, channel and owner, in that order. */
  bookTotals(filter: BookScope & { cursor?: string; limit: number }): Promise<Page<BookTotal>>
  /** Keeps what the books say now, unless the last run is younger than `everyMs`. Answers the last run. */
  reconcile(everyMs: number): Promise<ReconciliationRun>
  /** The runs that were kept, newest first. */
  reconciliationRuns(filter: { cursor?: string; limit: number }): Promise<Page<ReconciliationRun>>
  /** Null for a session without a row in the books. */
  refundStory(id: SessionId): Promise<RefundStory | null>
}
