import type { SessionId } from '../events/ids.ts'
import type { Channel } from '../events/owner.ts'

export type RefundState = 'owed' | 'issued' | 'waived' | 'settled' | 'escalated'

/** Which refunds; times are ISO 8601 and bound since when it is owed. */
export interface RefundFilter {
  readonly state?: RefundState
  readonly channel?: Channel
  /** A store or a user. */
  readonly owner?: string
  /** The id of the account that got it back, or a shopper's e-mail. */
  readonly payer?: string
  readonly since?: string
  /** Outside. */
  readonly until?: string
}

/** One refund as finance asks for it. */
export interface RefundView {
  readonly sessionId: SessionId
  readonly channel: Channel | null
  /** The store or the user of the session; null for a rejected task. */
  readonly ownerId: string | null
  readonly requestId: string | null
  readonly state: RefundState
  readonly payer: { readonly kind: 'user' | 'store' | 'shopper'; readonly id: string; readonly email?: string } | null
  readonly credits: number | null
  readonly since: string
  readonly tries: number
  readonly lastError: string | null
  readonly ledgerRecord: string | null
  readonly how: 'paid' | 'found' | null
  readonly waiverReason: string | null
  readonly settledAt: string | null
  /** By whom, how and why it was settled by hand. */
  readonly settlement: { readonly by: string; readonly how: string; readonly why: string } | null
}
