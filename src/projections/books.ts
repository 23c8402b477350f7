/** What the books hold of one session, in credits: the charge, what was given back, and how it ended by its facts. */
export interface SessionBooks {
  readonly outcome: 'open' | 'completed' | 'failed'
  readonly refund: 'owed' | 'escalated' | 'issued' | 'waived' | 'settled' | null
  readonly waiver: string | null
  readonly owedSinceMs: number | null
  readonly charged: number
  readonly givenBack: number
  /** Ledger transactions that gave something back. */
  readonly refunds: number
}

/** A refund that is owed for longer is `overdue`. */
const OVERDUE_MS = 3_600_000

/** The name of a session's place in the books, as the SQL function `wearon.session_class` has it. */
export const classOf = (books: SessionBooks, nowMs: number): string => {
  const { outcome, refund, refunds, charged, givenBack } = books
  if (refunds > 1) return 'duplicate'
  if (outcome === 'completed') return refunds > 0 ? 'unexpected' : 'matched'
  if (outcome === 'open') return 'open'
  if (refund === 'issued' && refunds === 0) return 'missing'
  if (refunds > 0) return givenBack === charged ? 'matched' : 'amount_differs'
  if (refund === 'waived') return books.waiver ?? 'never_charged'
  if (refund === 'settled') return 'settled'
  if (refund === null) return 'imported'
  return nowMs - (books.owedSinceMs ?? nowMs) > OVERDUE_MS ? 'overdue' : 'owed'
}

/** The classes in which credits are not where the facts say. */
export const IMBALANCES = [
  'duplicate',
  'unexpected',
  'missing',
  'amount_differs',
  'unknown_to_us',
  'balance_differs',
] as const

export type Bucket = 'kept' | 'givenBack' | 'owed' | 'open'

/** Where a session's charge is, apart from what was given back. */
export const bucketOf = (books: SessionBooks): Exclude<Bucket, 'givenBack'> => {
  if (books.outcome === 'open') return 'open'
  const owed = books.refund === 'owed' || books.refund === 'escalated' || books.refund === 'issued'
  return books.outcome === 'failed' && owed ? 'owed' : 'kept'
}
