import type { FailureCode } from '../events/codes.ts'
import type { SessionId } from '../events/ids.ts'
import type { Channel } from '../events/owner.ts'
import type { SessionState, StateName } from '../machines/compile.ts'
import type { Page } from './page.ts'
import type { Books } from './reconciliation.ts'
import type { RefundFilter, RefundView } from './refund-view.ts'

/** A session as people ask for it. Times are ISO 8601, UTC. */
export interface SessionView {
  readonly sessionId: SessionId
  readonly channel: Channel | null
  /** `store:<id>` or `user:<id>`. */
  readonly tenant: string | null
  readonly state: SessionState
  readonly requestId: string | null
  readonly attempts: number
  readonly imageUrl: string | null
  readonly imageUrlExpiresAt: string | null
  readonly failureCode: FailureCode | null
  /** Fit for an end user. */
  readonly errorMessage: string | null
  readonly processingTimeMs: number | null
  readonly costUsd: number | null
  readonly createdAt: string | null
  readonly completedAt: string | null
}

/** The sessions of one state that have not ended. */
export interface OpenSessions {
  readonly state: 'queued' | 'processing'
  readonly count: number
  /** When the oldest of them was requested, ISO 8601. */
  readonly oldest: string
}

/** How many sessions stand in one of the machine's states. */
export interface StateCount {
  readonly state: StateName
  readonly count: number
}

/** What HTTP and the command line read. */
export interface Queries extends Books {
  session(id: SessionId): Promise<SessionView | null>
  sessions(filter: {
    state?: SessionState
    channel?: Channel
    tenant?: string
    cursor?: string
    limit: number
  }): Promise<Page<SessionView>>
  refunds(filter: RefundFilter & { cursor?: string; limit: number }): Promise<Page<RefundView>>
  /** Sessions of a tenant that have not ended. */
  backlog(tenant: string): Promise<number>
  /** What is under way; a state without a session is absent. */
  openSessions(): Promise<OpenSessions[]>
  /** Every session that the tables know, by where it stands; a state without one is absent. */
  census(): Promise<StateCount[]>
  /** Resolves when the database answers; rejects with the reason otherwise. */
  ping(): Promise<void>
}

/** The first answer to a publication, remembered so that a repeat gets the same one. */
export interface Acceptances {
  /**
   * Reserves the session (and the tenant's idempotency key) for this body. `again` carries the first answer, and whether its
   * publication is known to be durable; `key_reused`: the key came with another body before.
   */
  reserve(request: {
    sessionId: SessionId
    tenant: string
    key: string | null
    /** SHA-256 of the body's canonical form. */
    fingerprint: string
    answer: object
  }): Promise<
    { outcome: 'first' } | { outcome: 'again'; answer: object; published: boolean } | { outcome: 'key_reused' }
  >
  published(id: SessionId): Promise<void>
  /** The answer that a published session got, or null. */
  find(id: SessionId): Promise<object | null>
  /** Forgets what was reserved before `before` (ISO 8601). Answers how many. */
  prune(before: string): Promise<number>
}
