import { parseFact } from '../../../events/fact.ts'
import type { SessionId } from '../../../events/ids.ts'
import type { OpenSessions, Queries, SessionView, StateCount } from '../../../projections/queries.ts'
import { type RefundRow, refundView, type SessionRow, sessionView, viewOfFacts } from '../../../projections/views.ts'
import { pageOf } from '../cursor.ts'
import { gathered } from '../gathered.ts'
import { databaseBooks } from './books.ts'
import type { CallFunction } from './functions.ts'
import { placeOf } from './place.ts'

/** Sessions that one round trip reads at most: some milliseconds of an embedded database. */
const SESSIONS_MAX = 100
const TENANTS_MAX = 100

/** Queries behind the database's functions. */
export const databaseQueries = (call: CallFunction, tripsMax: number): Queries => ({
  ...databaseBooks(call),
  session: gathered({ run: (ids: readonly SessionId[]) => sessionViews(call, ids), itemsMax: SESSIONS_MAX, tripsMax }),
  sessions: async ({ state = null, channel = null, tenant = null, cursor, limit }) => {
    const args = { p_state: state, p_channel: channel, p_tenant: tenant, ...placeOf(cursor), p_limit: limit + 1 }
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
    const rows = (await call('wearon_refunds', { ...args, ...placeOf(cursor), p_limit: limit + 1 })) as RefundRow[]
    return pageOf(rows, limit, refundView, (row) => ({ time: row.since ?? '', id: row.session_id }))
  },
  backlog: gathered({
    run: async (tenants: readonly string[]) => (await call('wearon_backlogs', { p_tenants: tenants })) as number[],
    itemsMax: TENANTS_MAX,
    tripsMax,
  }),
  openSessions: async () => (await call('wearon_open_sessions', {})) as OpenSessions[],
  census: async () => (await call('wearon_census', {})) as StateCount[],
  ping: async () => {
    await call('wearon_archive_head', {})
  },
})

interface FoundSession {
  readonly row: SessionRow | null
  readonly facts: readonly unknown[] | null
}

const sessionViews = async (call: CallFunction, ids: readonly SessionId[]): Promise<(SessionView | null)[]> => {
  const found = (await call('wearon_sessions_by_id', { p_sessions: ids })) as FoundSession[]
  return found.map(({ row, facts }) => (row === null ? viewOfFacts((facts ?? []).map(parseFact)) : sessionView(row)))
}
