import type { SessionId } from '../../events/ids.ts'
import { Owner } from '../../events/owner.ts'
import { ORPHAN_AGE_MS, type Orphan, type OrphanRow, type Orphans } from '../../projections/orphans.ts'
import { transactionsOf } from './ledger.ts'
import { newestFirst } from './paging.ts'
import type { PlatformRow, StoreState } from './store-state.ts'
import { uuidOf } from './uuid-of.ts'

/** What lost its other half, as the SQL function `wearon.orphan_lines` has it. */
export const memoryOrphans = (state: StoreState, now: () => number): Orphans => ({
  list: async ({ class: name, cursor, limit }) => {
    const lines = orphanLines(state, now()).filter((line) => name === undefined || line.class === name)
    return newestFirst(
      lines.map((row) => ({ row, place: { time: row.since, id: row.sessionId ?? uuidOf(row.key) } })),
      cursor,
      limit,
    )
  },
  rows: async ({ before, limit }) =>
    orphanLines(state, now())
      .filter(({ settles, since }) => settles && Date.parse(since) < Date.parse(before))
      .toSorted((a, b) => Date.parse(a.since) - Date.parse(b.since))
      .flatMap(({ sessionId }) => rowOf(state, sessionId))
      .slice(0, limit),
  row: async (session) => {
    const found = orphanLines(state, now()).some((one) => one.class === 'orphan_row' && one.sessionId === session)
    return found ? (rowOf(state, session)[0] ?? null) : null
  },
  noteObjects: async (results, at, last) => {
    for (const { path, sessionId, storedAt } of results) {
      const isYoung = Date.parse(storedAt) >= Date.parse(at) - ORPHAN_AGE_MS
      if (isYoung || isUnderWayOrDone(state, sessionId)) continue
      const firstSeenAt = state.orphanObjects.get(path)?.firstSeenAt ?? at
      state.orphanObjects.set(path, { sessionId, storedAt, firstSeenAt, seenAt: at, goneAt: null })
    }
    if (!last) return
    for (const [path, known] of state.orphanObjects) {
      if (known.goneAt === null && Date.parse(known.seenAt) < Date.parse(at))
        state.orphanObjects.set(path, { ...known, goneAt: at })
    }
  },
})

/** With what names a line in the books. */
export type OrphanLine = Orphan & { readonly key: string }

export const orphanLines = (state: StoreState, asOfMs: number, owner?: string): OrphanLine[] => {
  const lines = [...orphanRows(state, asOfMs), ...orphanCharges(state, asOfMs), ...orphanObjects(state, asOfMs)]
  return lines.filter(({ ownerId }) => owner === undefined || ownerId === owner)
}

const isOld = (at: string, asOfMs: number): boolean => Date.parse(at) < asOfMs - ORPHAN_AGE_MS

const orphanRows = (state: StoreState, asOfMs: number): OrphanLine[] =>
  [...state.rows.values()].flatMap((row) => {
    const waits = row.state === undefined && (row.status === 'queued' || row.status === 'processing')
    const isOrphan = waits && !state.sessions.has(row.id)
    if (!isOld(row.createdAt, asOfMs) || !(isOrphan || isGivenUpSince(state, row, asOfMs))) return []
    const detail = isOrphan ? `the row says ${row.status}, and no task came for it` : 'no task came for the row'
    return [
      {
        class: 'orphan_row',
        key: row.id,
        sessionId: row.id,
        channel: row.channel,
        ownerId: row.ownerId,
        requestId: row.requestId,
        since: row.createdAt,
        credits: 1,
        settles: isOrphan && maySettle(state, row),
        detail,
      },
    ]
  })

const isGivenUpSince = (state: StoreState, { id }: PlatformRow, asOfMs: number): boolean => {
  const [first] = state.sessions.get(id) ?? []
  return first?.type === 'generation.rejected' && first.data.code === 'task_lost' && Date.parse(first.at) > asOfMs
}

/** Rows from before our first fact are history; and a user's waiting rows must be charged for. */
const maySettle = (state: StoreState, row: PlatformRow): boolean => {
  const began = state.facts[0]?.fact.at
  if (began === undefined || Date.parse(row.createdAt) < Date.parse(began)) return false
  if (row.channel === 'b2b') return true
  const isAround = (at: string) => Math.abs(Date.parse(at) - Date.parse(row.createdAt)) <= AROUND_MS
  const charges = transactionsOf(state.ledger, row.ownerId).filter(
    ({ type, createdAt }) => type === 'generation' && isAround(createdAt),
  )
  const rows = [...state.rows.values()].filter((one) => one.ownerId === row.ownerId && isAround(one.createdAt))
  return charges.length >= rows.length
}

const AROUND_MS = 5 * 60_000

const orphanCharges = (state: StoreState, asOfMs: number): OrphanLine[] => {
  const known = new Set([
    ...[...state.rows.values()].map((row) => `${row.ownerId}|${row.requestId}`),
    ...[...state.refunds.values()].map((books) => `${books.owner_id}|${books.request_id}`),
  ])
  const all = [...state.ledger.transactions.values()].flat()
  const isGivenBack = (owner: string, requestId: string | null) =>
    transactionsOf(state.ledger, owner).some(
      (one) => one.type === 'refund' && one.requestId === requestId && Date.parse(one.createdAt) <= asOfMs,
    )
  return all
    .filter(({ type, createdAt }) => type === 'deduction' && isOld(createdAt, asOfMs))
    .filter(({ owner, requestId }) => !known.has(`${owner}|${requestId}`) && !isGivenBack(owner, requestId))
    .map(({ id, owner, requestId, createdAt, amount }) => ({
      class: 'orphan_charge',
      key: id,
      sessionId: null,
      channel: 'b2b',
      ownerId: owner,
      requestId,
      since: createdAt,
      credits: -amount,
      settles: false,
      detail: 'charged for a request of which there is no session row',
    }))
}

const orphanObjects = (state: StoreState, asOfMs: number): OrphanLine[] =>
  [...state.orphanObjects]
    .filter(([, { firstSeenAt }]) => Date.parse(firstSeenAt) <= asOfMs)
    .filter(([, { goneAt }]) => goneAt === null || Date.parse(goneAt) > asOfMs)
    .map(([path, { sessionId, storedAt }]) => ({
      class: 'orphan_object',
      key: path,
      sessionId,
      channel: null,
      ownerId: null,
      requestId: null,
      since: storedAt,
      credits: 0,
      settles: false,
      detail: `an image lies in storage, and its session did not complete: ${path}`,
    }))

const isUnderWayOrDone = (state: StoreState, session: SessionId): boolean => {
  const books = state.refunds.get(session)
  return (
    (books !== undefined && books.outcome !== 'failed') ||
    state.rows.get(session)?.status === 'completed' ||
    (state.sessions.get(session) ?? []).some(({ type }) => type === 'generation.completed')
  )
}

const rowOf = (state: StoreState, session: SessionId | null): OrphanRow[] => {
  const row = session === null ? undefined : state.rows.get(session)
  if (row === undefined) return []
  const { channel, ownerId } = row
  const owner = Owner.parse(channel === 'b2b' ? { channel, storeId: ownerId } : { channel, userId: ownerId })
  return [{ sessionId: row.id, owner, requestId: row.requestId }]
}
