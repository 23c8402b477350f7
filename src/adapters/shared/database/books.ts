import { z } from 'zod'
import { SessionId } from '../../../events/ids.ts'
import type { BookClass } from '../../../projections/books.ts'
import type { Page } from '../../../projections/page.ts'
import type {
  BookLine,
  BookScope,
  Books,
  BookTotal,
  ReconciliationRun,
  ReconciliationSummary,
  RefundStory,
} from '../../../projections/reconciliation.ts'
import { type RefundRow, refundView } from '../../../projections/views.ts'
import { decodeCursor, pageOf } from '../cursor.ts'
import type { CallFunction } from './functions.ts'
import { placeOf } from './place.ts'

/** The books behind the database's functions. What is asked of no moment is asked of now, by the database's clock. */
export const databaseBooks = (call: CallFunction): Books => {
  const args = ({ asOf, from, until, owner }: BookScope) => ({
    p_as_of: asOf ?? null,
    p_from: from ?? null,
    p_until: until ?? null,
    p_owner: owner ?? null,
  })
  return {
    reconciliation: async (scope = {}) =>
      (await call('wearon_reconciliation', {
        ...args(scope),
        p_session: scope.session ?? null,
      })) as ReconciliationSummary,
    bookLines: async ({ class: name = null, session = null, cursor, limit, ...scope }) => {
      const rows = await call('wearon_exceptions', {
        ...args(scope),
        p_session: session,
        p_class: name,
        ...placeOf(cursor),
        p_limit: limit + 1,
      })
      return pageOf(Line.array().parse(rows), limit, lineOf, ({ place, id }) => ({ time: place, id }))
    },
    bookTotals: async ({ session = null, cursor, limit, ...scope }) => {
      const after = decodeCursor(cursor)
      const rows = await call('wearon_totals', {
        ...args(scope),
        p_session: session,
        p_after_day: after?.time ?? null,
        p_after_owner: after?.id ?? null,
        p_limit: limit + 1,
      })
      return pageOf(Total.array().parse(rows), limit, totalOf, ({ day, owner_id: id }) => ({ time: day, id }))
    },
    reconcile: async (everyMs) => (await call('wearon_reconcile', { p_every_ms: everyMs })) as ReconciliationRun,
    reconciliationRuns: async ({ cursor, limit }): Promise<Page<ReconciliationRun>> => {
      const rows = await call('wearon_reconciliation_runs', { ...placeOf(cursor), p_limit: limit + 1 })
      const place = ({ asOf: time, id }: ReconciliationRun) => ({ time, id })
      return pageOf(rows as ReconciliationRun[], limit, (run) => run, place)
    },
    refundStory: async (id) => {
      const story = (await call('wearon_refund_story', { p_session: id })) as StoryRow | null
      if (story === null) return null
      return { ...story, refund: story.refund.state ? refundView(story.refund) : null }
    },
  }
}

type StoryRow = Omit<RefundStory, 'refund'> & { readonly refund: RefundRow }

const Channel = z.enum(['b2c', 'b2b']).nullable()

const Line = z.object({
  class: z.custom<BookClass>(),
  kind: z.enum(['session', 'refund', 'account', 'day', 'charge', 'object']),
  id: z.guid(),
  session_id: SessionId.nullable(),
  channel: Channel,
  owner_id: z.string().nullable(),
  email: z.string().nullable(),
  ledger_record: z.string().nullable(),
  since: z.string(),
  /** What it is ordered by: a session by its request. */
  place: z.string(),
  charged: z.number(),
  given_back: z.number(),
  drift: z.number(),
  detail: z.string().nullable(),
})

const lineOf = (row: z.infer<typeof Line>): BookLine => ({
  class: row.class,
  kind: row.kind,
  sessionId: row.session_id,
  channel: row.channel,
  ownerId: row.owner_id,
  email: row.email,
  ledgerRecord: row.ledger_record,
  since: new Date(row.since).toISOString(),
  charged: row.charged,
  givenBack: row.given_back,
  drift: row.drift,
  detail: row.detail ?? '',
})

const Total = z.object({
  day: z.string(),
  owner_id: z.guid(),
  channel: Channel,
  sessions: z.number(),
  charged: z.number(),
  given_back: z.number(),
  kept: z.number(),
  owed: z.number(),
  open: z.number(),
  drift: z.number(),
  classes: z.record(z.custom<BookClass>(), z.number()),
})

const NOBODY = '00000000-0000-0000-0000-000000000000'

const totalOf = ({ day, owner_id: owner, given_back, ...total }: z.infer<typeof Total>): BookTotal => ({
  ...total,
  day: new Date(day).toISOString().slice(0, 10),
  ownerId: owner === NOBODY ? null : owner,
  givenBack: given_back,
})
