import type { Page, Queries, ReconciliationSummary } from '../../../projections/queries.ts'
import { type RefundRow, refundView, type SessionRow, sessionView, viewOfFacts } from '../../../projections/views.ts'
import { type Cursor, decodeCursor, encodeCursor } from '../cursor.ts'
import { sessionFacts } from './archive.ts'
import type { CallFunction } from './functions.ts'

/** Queries behind the database's functions. `now` (ISO 8601) is what "overdue" is measured against. */
export const databaseQueries = (call: CallFunction, now: () => string): Queries => ({
  session: async (id) => {
    const [row] = (await call('wearon_sessions', { p_session: id })) as SessionRow[]
    return row ? sessionView(row) : viewOfFacts(await sessionFacts(call, id))
  },
  sessions: async ({ state = null, tenant = null, cursor, limit }) => {
    const args = { p_state: state, p_tenant: tenant, ...after(cursor), p_limit: limit + 1 }
    const rows = (await call('wearon_sessions', args)) as SessionRow[]
    return page(rows, limit, sessionView, (row) => ({ time: row.created_at ?? '', id: row.id }))
  },
  refunds: async ({ state = null, cursor, limit }) => {
    const rows = (await call('wearon_refunds', { p_state: state, ...after(cursor), p_limit: limit + 1 })) as RefundRow[]
    return page(rows, limit, refundView, (row) => ({ time: row.since ?? '', id: row.session_id }))
  },
  reconciliation: async () => (await call('wearon_reconciliation', { p_as_of: now() })) as ReconciliationSummary,
  backlog: async (tenant) => Number(await call('wearon_backlog', { p_tenant: tenant })),
  ping: async () => {
    await call('wearon_archive_head', {})
  },
})

const after = (text: string | undefined) => {
  const cursor = decodeCursor(text)
  return { p_before: cursor?.time ?? null, p_before_id: cursor?.id ?? null }
}

/** One row more than wanted was asked for: it says that there is a next page. */
const page = <Row, View>(
  rows: readonly Row[],
  limit: number,
  view: (row: Row) => View,
  place: (row: Row) => Cursor,
): Page<View> => {
  const items = rows.slice(0, limit)
  const last = items.at(-1)
  return { items: items.map(view), next: rows.length > limit && last ? encodeCursor(place(last)) : null }
}
