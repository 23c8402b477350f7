import type { WaiverReason } from '../events/refund.ts'
import type { RefundState } from './refund-view.ts'

/** Every name that a line of the books can have, and what it means to finance; the first ones need nobody. */
export const bookClasses = {
  matched: 'kept or given back, as the facts say',
  open: 'the session has not ended',
  owed: 'owed for less than an hour',
  settled: 'settled by hand',
  imported: 'from before this system; nothing was approved',
  account_gone: 'the user or store was deleted, and its transactions with it',
  overdue: 'owed for an hour or longer',
  stuck: 'the session has not ended for two hours',
  duplicate: 'given back more than once, or paid although it was settled by hand',
  unexpected: 'given back although the session completed or nothing was to be given back',
  missing: 'the facts say given back, the ledger has no such refund',
  amount_differs: 'given back, but not what was charged',
  wrong_payer: 'given back to someone who did not pay',
  row_differs: "the session row's status or credits are not what the facts and the charge say",
  never_charged: 'failed, and no charge is on record',
  overage: "the store's card was charged: only the payment provider can give it back",
  charge_unknown: 'failed, no charge is on record, but a subscription may have been charged',
  unknown_to_us: 'a refund of no session of ours',
  balance_differs: 'a balance that is not the sum of its transactions',
  charges_differ: 'a user was charged for more or fewer sessions of a day than there are',
  orphan_row: 'a session row waits, and no task came for it',
  orphan_charge: 'charged for a request of which there is no session row',
  orphan_object: 'an image lies in storage, and its session did not complete',
  set_aside: 'the database refuses the row of the session in the books',
} as const

export type BookClass = keyof typeof bookClasses

/** The classes in which credits are not where the facts say. */
export const IMBALANCES: readonly BookClass[] = [
  'duplicate',
  'unexpected',
  'missing',
  'amount_differs',
  'wrong_payer',
  'unknown_to_us',
  'balance_differs',
  'charges_differ',
]

const QUIET: ReadonlySet<BookClass> = new Set(['matched', 'open', 'owed', 'settled', 'imported', 'account_gone'])

/** The classes that somebody should look at. */
export const EXCEPTIONS: readonly BookClass[] = (Object.keys(bookClasses) as BookClass[]).filter(
  (name) => !QUIET.has(name),
)

/** What the books hold of one session, in credits: the charge, what was given back, and how it ended by its facts. */
export interface SessionBooks {
  readonly outcome: 'open' | 'completed' | 'failed'
  readonly refund: RefundState | null
  readonly waiver: WaiverReason | null
  readonly settledHow: string | null
  readonly requestedMs: number
  readonly owedSinceMs: number | null
  readonly charged: number
  readonly givenBack: number
  /** Ledger transactions that gave something back. */
  readonly refunds: number
  readonly wrongPayer: boolean
  readonly rowDiffers: boolean
  readonly accountGone: boolean
}

const HOUR_MS = 3_600_000
const STUCK_MS = 2 * HOUR_MS

/** The name of a session's place in the books, as the SQL function `wearon.session_lines` has it. */
export const classOf = (books: SessionBooks, nowMs: number): BookClass => {
  const { outcome, refund, refunds, charged, givenBack } = books
  if (books.accountGone) return 'account_gone'
  if (refunds > 1) return 'duplicate'
  if (refunds > 0 && (outcome === 'completed' || refund === 'waived')) return 'unexpected'
  if (refunds > 0 && refund === 'settled' && books.settledHow !== 'given_by_platform') return 'duplicate'
  if (books.wrongPayer) return 'wrong_payer'
  if (refunds > 0 && outcome === 'failed' && givenBack !== charged) return 'amount_differs'
  if (refunds === 0 && refund === 'issued') return 'missing'
  if (books.rowDiffers) return 'row_differs'
  if (outcome === 'completed') return 'matched'
  if (outcome === 'open') return nowMs - books.requestedMs > STUCK_MS ? 'stuck' : 'open'
  return refunds > 0 ? 'matched' : classOfOpenRefund(books, nowMs)
}

const classOfOpenRefund = ({ refund, waiver, owedSinceMs }: SessionBooks, nowMs: number): BookClass => {
  if (refund === 'waived') return waiver === null || waiver === 'row_completed' ? 'row_differs' : waiver
  if (refund === 'settled') return 'settled'
  if (refund === null) return 'imported'
  return nowMs - (owedSinceMs ?? nowMs) > HOUR_MS ? 'overdue' : 'owed'
}

/** Credits of a session that are not where its facts say. */
export const driftOf = (name: BookClass, { outcome, refund, charged, givenBack }: SessionBooks): number => {
  if (name === 'wrong_payer') return givenBack
  if (!['duplicate', 'unexpected', 'amount_differs', 'missing'].includes(name)) return 0
  const due = outcome === 'failed' && refund !== null && refund !== 'waived' && refund !== 'settled' ? charged : 0
  return Math.abs(givenBack - due)
}

export type Bucket = 'kept' | 'givenBack' | 'owed' | 'open'

/** Where a session's charge is, apart from what was given back. */
export const bucketOf = ({
  outcome,
  refund,
}: Pick<SessionBooks, 'outcome' | 'refund'>): Exclude<Bucket, 'givenBack'> => {
  if (outcome === 'open') return 'open'
  const owed = refund === 'owed' || refund === 'escalated' || refund === 'issued'
  return outcome === 'failed' && owed ? 'owed' : 'kept'
}

export const AGE_BUCKETS = ['under_1h', 'under_24h', 'under_7d', 'older'] as const
export type AgeBucket = (typeof AGE_BUCKETS)[number]

export const ageOf = (ms: number): AgeBucket => {
  if (ms < HOUR_MS) return 'under_1h'
  if (ms < 24 * HOUR_MS) return 'under_24h'
  return ms < 7 * 24 * HOUR_MS ? 'under_7d' : 'older'
}
