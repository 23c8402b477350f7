import { z } from 'zod'
import { fact } from './fact-schema.ts'
import { Sender } from './generation.ts'
import { StoreId, UserId } from './ids.ts'
import { Time, text } from './text.ts'

/** Who paid for the session, as the charge in the ledger says. */
export const Payer = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('user'), userId: UserId }),
  z.object({ kind: z.literal('store'), storeId: StoreId }),
  z.object({ kind: z.literal('shopper'), storeId: StoreId, email: text(320) }),
])
export type Payer = z.infer<typeof Payer>

/** Why nothing is given back. Finance must look at `overage` and `charge_unknown`. */
export const WaiverReason = z.enum(['never_charged', 'overage', 'charge_unknown', 'row_completed'])
export type WaiverReason = z.infer<typeof WaiverReason>

/** `paid` by us just now, or `found` already given back (by the platform, or by an earlier call of ours). */
const RefundHow = z.enum(['paid', 'found'])

/** How a refund was settled by hand: paid in another way, given back by the platform without a trace that we can read, or not at all. */
export const SettlementHow = z.enum(['paid_outside', 'given_by_platform', 'written_off'])
export type SettlementHow = z.infer<typeof SettlementHow>

/** What an operator says who settles a refund by hand. */
export const Settlement = z.object({ by: Sender, how: SettlementHow, why: text(1_000).min(1) })
export type Settlement = z.infer<typeof Settlement>

const Tries = z.int().positive()
/** UTF-16 units of what is kept of an error, or of why something is waived. */
export const REFUND_DETAIL_MAX = 2_000
const Detail = text(REFUND_DETAIL_MAX)

export const RefundIssued = fact('refund.issued', {
  credits: z.int().positive(),
  payer: Payer,
  ledgerRecord: text(100),
  how: RefundHow,
})
export const RefundWaived = fact('refund.waived', { reason: WaiverReason, detail: Detail })
export const RefundSettled = fact('refund.settled', { by: Sender, how: text(200), why: text(1_000) })

export const refundFacts = [
  fact('refund.requested', {}),
  RefundIssued,
  fact('refund.retrying', { tries: Tries, error: Detail, retryAt: Time }),
  RefundWaived,
  fact('refund.escalated', { tries: Tries, error: Detail, retryAt: Time }),
  fact('refund.settlement_requested', Settlement.shape),
  RefundSettled,
  fact('refund.approved', { by: Sender, why: text(1_000).optional() }),
] as const
