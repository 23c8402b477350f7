import type { SessionBooks } from '../../projections/books.ts'
import type { BookLine, BookScope } from '../../projections/reconciliation.ts'

/** A line of the books with what the summary adds up. */
export interface Line extends BookLine {
  /** Orders lines of one moment, and names a line in a cursor. */
  readonly key: string
  readonly requestedAt: string
  /** What it is ordered by: a session by its request, what is of no day before everything. */
  readonly place: string
  readonly books: SessionBooks | null
}

export interface Scope extends Omit<BookScope, 'asOf'> {
  readonly asOfMs: number
}

export const isWithin = ({ from, until }: Scope, at: string | undefined): boolean =>
  (from === undefined || (at !== undefined && Date.parse(at) >= Date.parse(from))) &&
  (until === undefined || (at !== undefined && Date.parse(at) < Date.parse(until)))

/** Where a line of no session has nothing to say. */
export const nothing = {
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
