import { createHash } from 'node:crypto'
import type { SessionId } from '../../events/ids.ts'
import { StoreId, UserId } from '../../events/ids.ts'
import type { Payer } from '../../events/refund.ts'
import { type Transaction, transactionsOf } from './ledger.ts'
import type { PlatformRow, StoreState } from './store-state.ts'

/** The refund that the ledger already holds for a session, ours or the platform's; null when there is none. */
export const givenBack = (state: StoreState, row: PlatformRow): Transaction | null => {
  const refunds = transactionsOf(state.ledger, row.ownerId).filter(({ type }) => type === 'refund')
  if (row.channel === 'b2b') return refunds.find(({ requestId }) => requestId === row.requestId) ?? null
  const named = refunds.find(({ description }) => sessionNamedIn(description) === row.id)
  return named ?? refunds.find((refund) => isOfFailedPush(state, row, refund)) ?? null
}

/** The session that a user's refund names in its description: ours, or the platform's nightly one. */
export const sessionNamedIn = (description: string): string | null => description.match(NAMES_A_SESSION)?.[1] ?? null

const NAMES_A_SESSION = /^(?:refund:|Stuck job recovery: session )([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})(?: |$)/

/** The only trace of a failed push: any such refund that is not older than the row and stands for no other session. */
const isOfFailedPush = (state: StoreState, row: PlatformRow, refund: Transaction): boolean =>
  refund.description === 'Queue error - refund' &&
  row.status === 'failed' &&
  row.error_message === 'Failed to queue job' &&
  Date.parse(refund.createdAt) >= Date.parse(row.createdAt) &&
  !claimed(state).has(refund.id)

/** The ledger's transactions that stand for a session by our own record. */
export const claimed = (state: StoreState): Map<string, SessionId> => {
  const claims = new Map<string, SessionId>()
  for (const [session, record] of state.refundRecords) {
    if (record.kind === 'issued') claims.set(record.data.ledgerRecord, session)
  }
  return claims
}

/** The shopper that a transaction is marked with: the e-mail, or the mark where it fits nobody; null for a store's own. */
export const shopperMarkOf = ({ description }: Transaction, shopperEmail: string | null | undefined): string | null => {
  const email = description.match(SHOPPER)?.[1]
  if (email !== undefined) return email
  const [mark, hash] = description.match(SHOPPER_HASH) ?? []
  const ofRow = shopperEmail?.trim().toLowerCase()
  return ofRow !== undefined && shopperHash(ofRow) === hash ? ofRow : (mark ?? null)
}

const SHOPPER = /\(shopper=([^()]+)\)\s*$/
const SHOPPER_HASH = /\[shopper_hash=([0-9a-f]{12})\]/

/** The platform's older mark of a shopper: the first 12 hex digits of the e-mail's MD5 as its transactions carry it. */
export const shopperHash = (email: string): string => createHash('md5').update(email).digest('hex').slice(0, 12)

/** Who a transaction belongs to, as its description says: a shopper's carries a mark. @throws when the mark fits nobody. */
export const payerOf = (row: PlatformRow, { description }: Transaction): Payer => {
  if (row.channel === 'b2c') return { kind: 'user', userId: UserId.parse(row.ownerId) }
  const storeId = StoreId.parse(row.ownerId)
  const email = description.match(SHOPPER)?.[1]
  if (email !== undefined) return { kind: 'shopper', storeId, email }
  const mark = description.match(SHOPPER_HASH)?.[1]
  if (mark === undefined) return { kind: 'store', storeId }
  const ofRow = row.shopperEmail?.trim().toLowerCase()
  if (ofRow === undefined || shopperHash(ofRow) !== mark) {
    throw new Error(`the charge is marked with shopper hash ${mark}, which is not that of the row's shopper`)
  }
  return { kind: 'shopper', storeId, email: ofRow }
}
