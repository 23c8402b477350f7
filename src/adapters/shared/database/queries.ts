import type { OpenSessions, Queries, StateCount } from '../../../projections/queries.ts'
import { type RefundRow, refundView, type SessionRow, sessionView, viewOfFacts } from '../../../projections/views.ts'
import { decodeCursor, pageOf } from '../cursor.ts'
import { sessionFacts } from './archive.ts'
import { databaseBooks } from './books.ts'
import type { CallFunction } from './functions.ts'

/** Queries behind the database's functions. */
export const databaseQueries = (call: CallFunction): Queries => ({
  ...databaseBooks(call),
  session: async (id) => {
    const [row] = (await call('wearon_sessions', { p_session: id })) as SessionRow[]
    return row ? sessionView(row) : viewOfFacts(await sessionFacts(call, id))
  },
  sessions: async ({ state = null, channel = null, tenant = null, cursor, limit }) => {
    const args = { p_state: state, p_channel: channel, p_tenant: tenant, ...after(cursor), p_limit: limit + 1 }
    const rows = (await call('wearon_sessions', args)) as SessionRow[]
    return pageOf(rows, limit, sessionView, (row) => ({ time: row.created_at ?? '', id: row.id }))
  },
  refunds: async ({ state, channel, owner, payer, since, until, cursor, limit }) => {
    const args = {
      p_state: state ?? null,
      p_channel: channel ?? null,
      p_owner: owner ?? null,
      p_payer: payer ?? null,
      p_since: since ?? null,
      p_until: until ?? null,
    }
    const rows = (await call('wearon_refunds', { ...args, ...after(cursor), p_limit: limit + 1 })) as RefundRow[]
    return pageOf(rows, limit, refundView, (row) => ({ time: row.since ?? '', id: row.session_id }))
  },
  backlog: async (tenant) => Number(await call('wearon_backlog', { p_tenant: tenant })),
  openSessions: async () => (await call('wearon_open_sessions', {})) as OpenSessions[],
  census: async () => (await call('wearon_census', {})) as StateCount[],
  ping: async () => {
    await call('wearon_archive_head', {})
  },
})

const after = (text: string | undefined) => {
  const cursor = decodeCursor(text)
  return { p_before: cursor?.time ?? null, p_before_id: cursor?.id ?? null }
}
