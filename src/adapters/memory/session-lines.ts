import type { SessionId } from '../../events/ids.ts'
import { classOf, driftOf, type SessionBooks } from '../../projections/books.ts'
import type { RefundColumns } from '../../projections/refunds.ts'
import { isWithin, type Line, type Scope } from './book-lines.ts'
import { shopperMarkOf } from './given-back.ts'
import { type Transaction, transactionsOf } from './ledger.ts'
import { refundsOf, sessionsOfRefunds } from './ledger-refunds.ts'
import type { PlatformRow, StoreState } from './store-state.ts'

/** One line per session of ours, as the SQL function `wearon.session_lines` has it. */
export const sessionLines = (state: StoreState, scope: Scope): Line[] => {
  const refunds = refundsBySession(state, scope.asOfMs)
  return [...state.refunds].flatMap(([session, row]) => {
    const requestedAt = row.requested_at ?? row.ended_at ?? ''
    const isIn =
      Date.parse(requestedAt) <= scope.asOfMs &&
      (scope.session === undefined || scope.session === session) &&
      (scope.owner === undefined || scope.owner === row.owner_id) &&
      isWithin(scope, row.requested_at)
    const isOthers = row.outcome === 'handed_back' && Date.parse(row.ended_at ?? '') <= scope.asOfMs
    return isIn && !isOthers ? [sessionLine(state, session, row, refunds.get(session) ?? [], scope.asOfMs)] : []
  })
}

const sessionLine = (
  state: StoreState,
  session: SessionId,
  columns: RefundColumns & { seq: number },
  refunds: readonly Transaction[],
  asOfMs: number,
): Line => {
  const books = booksOf(state, session, columns, refunds, asOfMs)
  const row = state.rows.get(session)
  const name = classOf(books, asOfMs)
  const words = columns.waiver_detail ?? columns.settled_why ?? columns.last_error
  const rowSays = `the row says ${row?.status} and ${row?.creditsUsed ?? 1} credits`
  const requestedAt = columns.requested_at ?? columns.ended_at ?? ''
  return {
    key: session,
    class: name,
    kind: 'session',
    sessionId: session,
    channel: columns.channel ?? row?.channel ?? null,
    ownerId: row?.ownerId ?? columns.owner_id ?? null,
    email: columns.payer_email ?? null,
    ledgerRecord: columns.ledger_record ?? null,
    requestedAt,
    place: requestedAt,
    since: columns.since ?? requestedAt,
    charged: books.charged,
    givenBack: books.givenBack,
    drift: driftOf(name, books),
    detail: [books.outcome, books.refund, name === 'row_differs' ? rowSays : words].filter(Boolean).join(', '),
    books,
  }
}

const booksOf = (
  state: StoreState,
  session: SessionId,
  columns: RefundColumns & { seq: number },
  refunds: readonly Transaction[],
  asOfMs: number,
): SessionBooks => {
  const isLater = (at: string | undefined) => at !== undefined && Date.parse(at) > asOfMs
  const row = state.rows.get(session)
  const charge = chargeOf(state, columns, row)
  const charged = creditsCharged(columns, row, charge)
  const { outcome: last = 'open' } = columns
  const outcome = last === 'handed_back' || isLater(columns.ended_at) ? 'open' : last
  const refund = refundAt(columns, isLater)
  return {
    outcome,
    refund,
    waiver: columns.waiver_reason ?? null,
    settledHow: columns.settled_how ?? null,
    requestedMs: Date.parse(columns.requested_at ?? columns.ended_at ?? ''),
    owedSinceMs: columns.since === undefined ? null : Date.parse(columns.since),
    charged,
    givenBack: refunds.reduce((sum, { amount }) => sum + amount, 0),
    refunds: refunds.length,
    wrongPayer: refunds.some(
      (one) => one.owner !== (row?.ownerId ?? columns.owner_id) || !isMarkedAs(one, charge, row),
    ),
    rowDiffers:
      (row !== undefined && rowFollows(state, session, columns, row) && differs(row, outcome, charged)) ||
      (refund === 'waived' && columns.waiver_reason === 'row_completed'),
    accountGone: row === undefined && !state.ledger.accounts.has(columns.owner_id ?? ''),
  }
}

const refundAt = (
  { state, since, settled_at }: RefundColumns,
  isLater: (at: string | undefined) => boolean,
): SessionBooks['refund'] => {
  if (state === undefined || isLater(since)) return null
  return state === 'owed' || state === 'escalated' || !isLater(settled_at) ? state : 'owed'
}

const chargeOf = (state: StoreState, columns: RefundColumns, row: PlatformRow | undefined): Transaction | undefined =>
  transactionsOf(state.ledger, row?.ownerId ?? columns.owner_id ?? '').find(
    ({ type, requestId }) => type === 'deduction' && requestId === (row?.requestId ?? columns.request_id),
  )

/** B2b by request; a user's charges name no session: each of the producer's rows stands for one credit. */
const creditsCharged = (
  columns: RefundColumns,
  row: PlatformRow | undefined,
  charge: Transaction | undefined,
): number => {
  if (row?.origin === 'worker') return 0
  if (row?.channel === 'b2c') return 1
  if (charge !== undefined) return -charge.amount
  // Its row is gone: what the facts gave back was charged.
  return row === undefined && columns.channel === 'b2c' ? (columns.credits ?? 0) : 0
}

const isMarkedAs = (refund: Transaction, charge: Transaction | undefined, row: PlatformRow | undefined): boolean =>
  row?.channel === 'b2c' ||
  shopperMarkOf(refund, row?.shopperEmail) === (charge ? shopperMarkOf(charge, row?.shopperEmail) : null)

/** What the projection of rows has not written yet is no difference. */
const rowFollows = (
  { projections, setAside }: StoreState,
  session: SessionId,
  { seq }: { seq: number },
  row: PlatformRow,
): boolean => {
  const position = (name: string) => projections.get(name)?.position ?? 0
  const caughtUp = position('sessions') >= position('refunds') && !setAside.get('sessions')?.has(session)
  return row.seq >= seq || caughtUp
}

const differs = (row: PlatformRow, outcome: SessionBooks['outcome'], charged: number): boolean => {
  const ended = outcome !== 'open' && row.status !== outcome
  return ended || (row.origin === 'producer' && charged > 0 && (row.creditsUsed ?? 1) !== charged)
}

const refundsBySession = (state: StoreState, asOfMs: number): Map<SessionId | null, Transaction[]> => {
  const sessionOf = sessionsOfRefunds(state)
  const isThere = (refund: Transaction) => {
    if (Date.parse(refund.createdAt) <= asOfMs) return true
    const row = state.refunds.get(sessionOf(refund) ?? ('' as SessionId))
    return row?.ledger_record === refund.id && Date.parse(row.settled_at ?? '') <= asOfMs
  }
  return Map.groupBy(refundsOf(state.ledger).filter(isThere), sessionOf)
}
