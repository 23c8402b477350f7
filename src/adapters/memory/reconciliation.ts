import type { SessionId } from '../../events/ids.ts'
import { isoTime } from '../../events/text.ts'
import { bucketOf, classOf, IMBALANCES, type SessionBooks } from '../../projections/books.ts'
import type { ReconciliationSummary } from '../../projections/queries.ts'
import type { RefundColumns } from '../../projections/refunds.ts'
import { claimed, sessionNamedIn } from './given-back.ts'
import { type Transaction, transactionsOf } from './ledger.ts'
import type { StoreState } from './store-state.ts'

/** Holds the facts' refunds against the ledger, as the SQL function `wearon_reconciliation` does. */
export const reconcile = (state: StoreState, nowMs: number): ReconciliationSummary => {
  const refunds = refundsBySession(state)
  const classes: Record<string, number> = {}
  const count = (name: string, by = 1) => {
    if (by > 0) classes[name] = (classes[name] ?? 0) + by
  }
  const sums = { charged: 0, kept: 0, givenBack: 0, owed: 0, open: 0 }
  for (const [session, row] of state.refunds) {
    const books = booksOf(state, session, row, refunds.get(session) ?? [])
    count(classOf(books, nowMs))
    sums.charged += books.charged
    sums.givenBack += books.givenBack
    sums[bucketOf(books)] += Math.max(books.charged - books.givenBack, 0)
  }
  count(
    'unknown_to_us',
    [...refunds].filter(([session]) => !state.refunds.has(session as SessionId)).flatMap(([, of]) => of).length,
  )
  count('balance_differs', differingBalances(state))
  count('set_aside', state.setAside.get('refunds')?.size ?? 0)
  const adds = sums.charged === sums.kept + sums.givenBack + sums.owed + sums.open
  const balanced = adds && IMBALANCES.every((name) => classes[name] === undefined)
  return { asOf: isoTime(nowMs), position: state.projections.get('refunds')?.position ?? 0, ...sums, classes, balanced }
}

const booksOf = (state: StoreState, session: SessionId, row: RefundColumns, refunds: Transaction[]): SessionBooks => ({
  outcome: row.outcome ?? 'open',
  refund: row.state ?? null,
  waiver: row.waiver_reason ?? null,
  owedSinceMs: row.since === undefined ? null : Date.parse(row.since),
  charged: chargeOf(state, session),
  givenBack: refunds.reduce((sum, { amount }) => sum + amount, 0),
  refunds: refunds.length,
})

/** B2b by request; a user's charges name no session, so each of the producer's rows stands for one credit. */
const chargeOf = (state: StoreState, session: SessionId): number => {
  const row = state.rows.get(session)
  if (row === undefined || row.origin === 'worker') return 0
  if (row.channel === 'b2c') return 1
  const charge = transactionsOf(state.ledger, row.ownerId).find(
    ({ type, requestId }) => type === 'deduction' && requestId === row.requestId,
  )
  return charge ? -charge.amount : 0
}

/** The ledger's refunds by session; those of no session of ours under their own id, unless a row of the platform explains them. */
const refundsBySession = (state: StoreState): Map<string, Transaction[]> => {
  const claims = claimed(state)
  const byRequest = new Map([...state.rows.values()].map((row) => [`${row.ownerId}|${row.requestId}`, row.id]))
  const refunds = [...state.ledger.transactions.values()].flat().filter(({ type }) => type === 'refund')
  const bySession = Map.groupBy(refunds, (refund) => {
    const named = refund.requestId
      ? byRequest.get(`${refund.owner}|${refund.requestId}`)
      : sessionNamedIn(refund.description)
    return claims.get(refund.id) ?? named ?? refund.id
  })
  for (const [session, of] of bySession) {
    const row = state.rows.get(session as SessionId)
    const platformsOwn = (row?.status === 'failed' && !row.state) || (row === undefined && isFailedPush(of))
    if (platformsOwn && !state.refunds.has(session as SessionId)) bySession.delete(session)
  }
  return bySession
}

/** A push that failed before a task came: the platform settled it alone. */
const isFailedPush = (refunds: readonly Transaction[]): boolean =>
  refunds.every(({ description }) => description === 'Queue error - refund')

const differingBalances = ({ ledger }: StoreState): number => {
  const differs = (owner: string, balance: number) => {
    const own = transactionsOf(ledger, owner).filter(
      ({ type, description }) => type !== 'overage' && !/\(shopper=|\[shopper_hash=/.test(description),
    )
    return own.reduce((sum, { amount }) => sum + amount, 0) !== balance
  }
  const accounts = [...ledger.users, ...ledger.stores].filter(([owner, { balance }]) => differs(owner, balance))
  const shoppers = [...ledger.shoppers.values()].filter(({ balance, earned, spent }) => balance !== earned - spent)
  return accounts.length + shoppers.length
}
