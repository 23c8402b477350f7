import type { SessionId } from '../events/ids.ts'
import type { Channel, Owner } from '../events/owner.ts'
import type { Page } from './page.ts'

/** A session row that ended without this system, and what the credit tables prove about it. */
export interface PastRow {
  readonly sessionId: SessionId
  readonly owner: Owner
  readonly requestId: string | null
  readonly end: 'completed' | 'failed'
  /** When the row was made, ISO 8601. */
  readonly requestedAt: string
  /** For a person; without personal data. */
  readonly evidence: string
}

/** Who paid for a past session: `card` by overage, `unknown` when a subscription may have been charged. */
export type PastPayer = 'user' | 'store' | 'shopper' | 'card' | 'unknown'

/** An imported session that failed, was charged, and whose credit the ledger does not show as given back. */
export interface Unreturned {
  readonly sessionId: SessionId
  readonly channel: Channel
  readonly ownerId: string
  readonly requestId: string | null
  readonly requestedAt: string
  readonly endedAt: string | null
  readonly errorMessage: string | null
  readonly payer: PastPayer
  readonly credits: number
  /** `unproved`: refunds of that time name no session, so one of them may have been for this one. */
  readonly proof: 'proved' | 'unproved'
  readonly detail: string
}

/** What was before this system. */
export interface Past {
  /** Ended rows made before a moment that are no session of ours yet, the oldest first. */
  rows(filter: { before: string; cursor?: string; limit: number }): Promise<Page<PastRow>>
  /** The newest first; `sessions`: only those of these. */
  unreturned(filter: { sessions?: readonly SessionId[]; cursor?: string; limit: number }): Promise<Page<Unreturned>>
}
