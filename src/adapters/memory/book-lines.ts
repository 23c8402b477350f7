import type { SessionId } from '../../events/ids.ts'
import { isoTime } from '../../events/text.ts'
import { type BookClass, classOf, driftOf, type SessionBooks } from '../../projections/books.ts'
import type { BookLine, BookScope } from '../../projections/reconciliation.ts'
import type { RefundColumns } from '../../projections/refunds.ts'
import { claimed, sessionNamedIn, shopperMarkOf } from './given-back.ts'
import { type LedgerState, type Transaction, transactionsOf } from './ledger.ts'
import { orphanLines } from './orphans.ts'
import type { PlatformRow, StoreState } from './store-state.ts'

/** A line of the books with what the summary adds up. */
export interface Line extends BookLine {
  /** Orders lines of one moment, and names a line in a cursor. */
  readonly key: string
  readonly requestedAt: string
  readonly books: SessionBooks | null
}

export interface Scope extends Omit<BookScope, 'asOf'> {
  readonly asOfMs: number
}

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
    return isIn ? [sessionLine(state, session, row, refunds.get(session) ?? [], scope.asOfMs)] : []
  })
}

const isWithin = ({ from, until }: Scope, at: string | undefined): boolean =>
  (from === undefined || (at !== undefined && Date.parse(at) >= Date.parse(from))) &&
  (until === undefined || (at !== undefined && Date.parse(at) < Date.parse(until)))

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
  const outcome = isLater(columns.ended_at) ? 'open' : (columns.outcome ?? 'open')
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

const refundsOf = ({ transactions }: LedgerState): Transaction[] =>
  [...transactions.values()].flat().filter(({ type }) => type === 'refund')

/** The session that each of the ledger's refunds stands for. */
const sessionsOfRefunds = (state: StoreState) => {
  const claims = claimed(state)
  const byRequest = new Map([...state.rows.values()].map((row) => [`${row.ownerId}|${row.requestId}`, row.id]))
  return (refund: Transaction): SessionId | null =>
    claims.get(refund.id) ??
    (sessionNamedIn(refund.description) as SessionId | null) ??
    (refund.requestId ? (byRequest.get(`${refund.owner}|${refund.requestId}`) ?? null) : null)
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

/** Everything else that has a place in the books, as the SQL function `wearon.other_lines` has it. */
export const otherLines = (state: StoreState, scope: Scope): Line[] => {
  const aside = scope.owner === undefined ? setAside(state, scope) : []
  if (scope.session !== undefined) return aside
  const isOfNoDay = scope.from === undefined && scope.until === undefined
  return [
    ...aside,
    ...unknownRefunds(state, scope),
    ...chargesThatDiffer(state, scope),
    ...orphans(state, scope),
    ...(isOfNoDay ? differingBalances(state, scope) : []),
  ]
}

const nothing = {
  sessionId: null,
  channel: null,
  ownerId: null,
  email: null,
  ledgerRecord: null,
  requestedAt: '',
  charged: 0,
  givenBack: 0,
  books: null,
} as const

const setAside = (state: StoreState, { session, asOfMs }: Scope): Line[] =>
  [...(state.setAside.get('refunds')?.keys() ?? [])]
    .filter((id) => session === undefined || id === session)
    .map((id) => {
      const detail = 'the database refuses its row'
      const since = isoTime(asOfMs)
      return { ...nothing, class: 'set_aside', kind: 'session', key: id, sessionId: id, since, drift: 0, detail }
    })

/** Refunds of no session of ours; what the platform settled before a task came is explained by its own failed row. */
const unknownRefunds = (state: StoreState, scope: Scope): Line[] => {
  const sessionOf = sessionsOfRefunds(state)
  return refundsOf(state.ledger).flatMap((refund) => {
    const session = sessionOf(refund)
    const row = state.rows.get(session ?? ('' as SessionId))
    // The archive has sessions that the books do not have yet.
    const isKnown = session !== null && (state.refunds.has(session) || state.sessions.has(session))
    const isPlatforms = (session === null && isFailedPush(refund)) || (row?.status === 'failed' && !row.state)
    const isIn =
      Date.parse(refund.createdAt) <= scope.asOfMs &&
      isWithin(scope, refund.createdAt) &&
      (scope.owner === undefined || scope.owner === refund.owner)
    if (!isIn || isKnown || isPlatforms) return []
    return [
      {
        ...nothing,
        class: 'unknown_to_us',
        kind: 'refund',
        key: refund.id,
        sessionId: session,
        channel: refund.requestId === null ? 'b2c' : 'b2b',
        ownerId: refund.owner,
        ledgerRecord: refund.id,
        since: refund.createdAt,
        givenBack: refund.amount,
        drift: refund.amount,
        detail: refund.description,
      },
    ]
  })
}

const orphans = (state: StoreState, scope: Scope): Line[] =>
  orphanLines(state, scope.asOfMs, scope.owner)
    .filter(({ since }) => isWithin(scope, since))
    .map((one) => ({
      ...nothing,
      class: one.class,
      kind: one.class === 'orphan_row' ? 'session' : one.class === 'orphan_charge' ? 'charge' : 'object',
      key: one.key,
      sessionId: one.sessionId,
      channel: one.channel,
      ownerId: one.ownerId,
      since: one.since,
      charged: one.credits,
      drift: 0,
      detail: one.detail,
    }))

const isFailedPush = ({ description }: Transaction): boolean => description === 'Queue error - refund'

interface UserDay {
  readonly user: string
  readonly day: string
  charges: number
  sessions: number
}

/** Days that are over, with more or fewer charges than rows; two in a row that cancel out are one charge around midnight. */
const chargesThatDiffer = (state: StoreState, scope: Scope): Line[] => {
  const days = new Map<string, UserDay>()
  const note = (user: string, at: string, charges: number, sessions: number) => {
    if (Date.parse(at) > scope.asOfMs || (scope.owner !== undefined && scope.owner !== user)) return
    const day = at.slice(0, 10)
    const known = days.get(`${user}|${day}`) ?? { user, day, charges: 0, sessions: 0 }
    days.set(`${user}|${day}`, { ...known, charges: known.charges + charges, sessions: known.sessions + sessions })
  }
  for (const row of state.rows.values()) {
    if (row.channel === 'b2c' && row.origin === 'producer') note(row.ownerId, row.createdAt, 0, 1)
  }
  for (const { type, owner, createdAt, amount } of [...state.ledger.transactions.values()].flat()) {
    if (type === 'generation') note(owner, createdAt, -amount, 0)
  }
  const differing = [...days.values()].filter(({ charges, sessions }) => charges !== sessions)
  return differing
    .filter((one) => !differing.some((other) => cancels(one, other)))
    .filter(({ day }) => day < isoTime(scope.asOfMs - MINUTE_MS).slice(0, 10))
    .filter(({ day }) => isWithin(scope, `${day}T00:00:00.000Z`))
    .map(({ user, day, charges, sessions }) => ({
      ...nothing,
      class: 'charges_differ',
      kind: 'day',
      key: `${user}|${day}`,
      channel: 'b2c',
      ownerId: user,
      since: `${day}T00:00:00.000Z`,
      charged: charges,
      drift: Math.abs(charges - sessions),
      detail: `${charges} charges for ${sessions} sessions on ${day}`,
    }))
}

const MINUTE_MS = 60_000
const DAY_MS = 86_400_000

const cancels = (one: UserDay, other: UserDay): boolean =>
  one.user === other.user &&
  Math.abs(Date.parse(one.day) - Date.parse(other.day)) === DAY_MS &&
  one.charges - one.sessions === other.sessions - other.charges

const differingBalances = ({ ledger }: StoreState, { owner, asOfMs }: Scope): Line[] => {
  const lines = [
    ...[...ledger.users].map(([id, { balance }]) => balanceLine('user', id, null, balance, sumOf(ledger, id))),
    ...[...ledger.stores].map(([id, { balance }]) => balanceLine('store', id, null, balance, sumOf(ledger, id))),
    ...[...ledger.shoppers].map(([key, { balance, earned, spent }]) => {
      const [store = '', email = ''] = key.split('|')
      return balanceLine('shopper', store, email, balance, earned - spent)
    }),
  ]
  return lines
    .filter(({ drift, ownerId }) => drift > 0 && (owner === undefined || owner === ownerId))
    .map((line) => ({ ...line, since: isoTime(asOfMs) }))
}

const sumOf = (ledger: LedgerState, account: string): number =>
  transactionsOf(ledger, account)
    .filter(({ type, description }) => type !== 'overage' && !/\(shopper=|\[shopper_hash=/.test(description))
    .reduce((sum, { amount }) => sum + amount, 0)

const balanceLine = (kind: string, owner: string, email: string | null, balance: number, expected: number): Line => ({
  ...nothing,
  class: 'balance_differs' satisfies BookClass,
  kind: 'account',
  key: `${owner}|${email ?? ''}`,
  channel: kind === 'user' ? 'b2c' : 'b2b',
  ownerId: owner,
  email,
  since: '',
  drift: Math.abs(balance - expected),
  detail: `the ${kind} has ${balance} credits, its transactions add up to ${expected}`,
})
