import type { SessionId } from '../../events/ids.ts'
import type { StateName } from '../../machines/compile.ts'
import type { Acceptances, Queries } from '../../projections/queries.ts'
import type { RefundFilter } from '../../projections/refund-view.ts'
import type { RefundColumns } from '../../projections/refunds.ts'
import { refundView, sessionView, viewOfFacts } from '../../projections/views.ts'
import { newestFirst } from './paging.ts'
import { memoryBooks } from './reconciliation.ts'
import type { PlatformRow, StoreState } from './store-state.ts'

export const memoryQueries = (state: StoreState, now: () => number): Queries => ({
  ...memoryBooks(state, now),
  session: async (id) => {
    const row = state.rows.get(id)
    return row?.state ? viewOf(state, row) : viewOfFacts(state.sessions.get(id) ?? [])
  },
  sessions: async ({ state: wanted, channel, tenant, cursor, limit }) => {
    const rows = [...state.rows.values()]
      .filter((row) => row.state && (!wanted || row.state === wanted) && (!tenant || tenantOfRow(row) === tenant))
      .filter((row) => !channel || row.channel === channel)
      .map((row) => ({ row, place: { time: row.createdAt, id: row.id } }))
    const page = newestFirst(rows, cursor, limit)
    return { ...page, items: page.items.map((row) => viewOf(state, row)) }
  },
  refunds: async ({ cursor, limit, ...filter }) => {
    const rows = [...state.refunds]
      .filter(([, row]) => row.state && isWanted(row, filter))
      .map(([id, row]) => ({ row: { ...row, session_id: id }, place: { time: row.since ?? '', id } }))
    const page = newestFirst(rows, cursor, limit)
    return { ...page, items: page.items.map(refundView) }
  },
  backlog: async (tenant) =>
    [...state.rows.values()].filter((row) => isOpen(row) && tenantOfRow(row) === tenant).length,
  openSessions: async () =>
    (['queued', 'processing'] as const).flatMap((wanted) => {
      const rows = [...state.rows.values()].filter((row) => row.state === wanted)
      const times = rows.map(({ id }) => state.refunds.get(id)?.requested_at ?? '').filter((time) => time !== '')
      const oldest = times.toSorted()[0]
      return oldest === undefined ? [] : [{ state: wanted, count: times.length, oldest }]
    }),
  census: async () => {
    const states = [...state.refunds].flatMap(([id, row]) => stateOf(row, state.rows.get(id)) ?? [])
    return [...Map.groupBy(states, (name) => name)].map(([name, found]) => ({ state: name, count: found.length }))
  },
  ping: async () => {},
})

const isWanted = (row: RefundColumns, { state, channel, owner, payer, since, until }: RefundFilter): boolean => {
  const owedMs = Date.parse(row.since ?? '')
  return (
    (!state || row.state === state) &&
    (!channel || row.channel === channel) &&
    (!owner || row.owner_id === owner) &&
    (!payer || [row.payer_id, row.payer_email].includes(payer.toLowerCase())) &&
    (!since || owedMs >= Date.parse(since)) &&
    (!until || owedMs < Date.parse(until))
  )
}

/** Where a session stands, as far as the tables have followed; null while they do not know an open one's state. */
const stateOf = ({ outcome, state }: RefundColumns, row: PlatformRow | undefined): StateName | null => {
  if (outcome === 'handed_back') return outcome
  if (outcome === undefined || outcome === 'open')
    return row?.state === 'queued' || row?.state === 'processing' ? row.state : null
  if (outcome === 'completed') return 'completed'
  if (state === undefined) return 'failed.imported'
  if (state === 'issued') return 'refunded'
  return state === 'waived' || state === 'settled' ? 'failed.settled' : `failed.${state}`
}

const isOpen = ({ state }: PlatformRow): boolean => state === 'queued' || state === 'processing'

/** `store:<id>` or `user:<id>`. */
export const tenantOfRow = (row: PlatformRow): string => `${row.channel === 'b2b' ? 'store' : 'user'}:${row.ownerId}`

const viewOf = (state: StoreState, row: PlatformRow) =>
  sessionView({
    ...row,
    tenant: tenantOfRow(row),
    request_id: state.sessions.get(row.id)?.[0]?.requestId ?? null,
    created_at: row.createdAt,
  })

export const memoryAcceptances = ({ acceptances }: StoreState, now: () => number): Acceptances => ({
  reserve: async ({ sessionId, tenant, key, fingerprint, answer }) => {
    const ofKey =
      key === null ? undefined : [...acceptances.values()].find((one) => one.tenant === tenant && one.key === key)
    if (ofKey !== undefined && ofKey.fingerprint !== fingerprint) return { outcome: 'key_reused' }
    const known = ofKey ?? acceptances.get(sessionId)
    if (known !== undefined) return { outcome: 'again', answer: known.answer, published: known.published }
    acceptances.set(sessionId, { sessionId, tenant, key, fingerprint, answer, reservedAt: now(), published: false })
    return { outcome: 'first' }
  },
  published: async (id) => {
    const known = acceptances.get(id)
    if (known !== undefined) known.published = true
  },
  find: async (id: SessionId) => {
    const known = acceptances.get(id)
    return known?.published ? known.answer : null
  },
  prune: async (before) => {
    const old = [...acceptances.values()].filter(({ reservedAt }) => reservedAt < Date.parse(before))
    for (const { sessionId } of old) acceptances.delete(sessionId)
    return old.length
  },
})
