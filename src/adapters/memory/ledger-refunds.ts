import type { SessionId } from '../../events/ids.ts'
import { claimed, sessionNamedIn } from './given-back.ts'
import type { LedgerState, Transaction } from './ledger.ts'
import type { StoreState } from './store-state.ts'

export const refundsOf = ({ transactions }: LedgerState): Transaction[] =>
  [...transactions.values()].flat().filter(({ type }) => type === 'refund')

/** The session that each of the ledger's refunds stands for. */
export const sessionsOfRefunds = (state: StoreState) => {
  const claims = claimed(state)
  const byRequest = new Map([...state.rows.values()].map((row) => [`${row.ownerId}|${row.requestId}`, row.id]))
  return (refund: Transaction): SessionId | null =>
    claims.get(refund.id) ??
    (sessionNamedIn(refund.description) as SessionId | null) ??
    (refund.requestId ? (byRequest.get(`${refund.owner}|${refund.requestId}`) ?? null) : null)
}
