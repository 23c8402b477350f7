import { Owner } from '../../events/owner.ts'
import type { Past, PastPayer, PastRow, Unreturned } from '../../projections/past.ts'
import { decodeCursor, pageOf } from '../shared/cursor.ts'
import { claimed, givenBack, sessionNamedIn, shopperMarkOf } from './given-back.ts'
import { transactionsOf } from './ledger.ts'
import { newestFirst } from './paging.ts'
import type { PlatformRow, StoreState } from './store-state.ts'

/** What was before this system, as the SQL functions `wearon_past_rows` and `wearon_unreturned` have it. */
export const memoryPast = (state: StoreState): Past => ({
  rows: async ({ before, cursor, limit }) => {
    const after = decodeCursor(cursor)
    const rows = [...state.rows.values()]
      .filter((row) => isPast(state, row) && Date.parse(row.createdAt) < Date.parse(before))
      .toSorted((a, b) => (placeOf(a) < placeOf(b) ? -1 : 1))
      .filter((row) => after === null || placeOf(row) > `${after.time}|${after.id}`)
    return pageOf(
      rows.slice(0, limit + 1),
      limit,
      (row) => pastRow(state, row),
      ({ createdAt: time, id }) => ({ time, id }),
    )
  },
  unreturned: async ({ sessions, cursor, limit }) => {
    const rows = [...state.rows.values()].flatMap((row) => {
      const isAsked = sessions === undefined || sessions.includes(row.id)
      const line = isAsked && isImported(state, row) ? unreturned(state, row) : null
      return line === null ? [] : [{ row: line, place: { time: line.requestedAt, id: row.id } }]
    })
    return newestFirst(rows, cursor, limit)
  },
})

const placeOf = ({ createdAt, id }: PlatformRow): string => `${createdAt}|${id}`

const isPast = (state: StoreState, { id, state: ours, status }: PlatformRow): boolean =>
  ours === undefined && (status === 'completed' || status === 'failed') && !state.sessions.has(id)

const isImported = (state: StoreState, { id }: PlatformRow): boolean => {
  const books = state.refunds.get(id)
  const [first] = state.sessions.get(id) ?? []
  return books?.outcome === 'failed' && books.state === undefined && first?.type === 'generation.imported'
}

const pastRow = (state: StoreState, row: PlatformRow): PastRow => ({
  sessionId: row.id,
  owner: Owner.parse(
    row.channel === 'b2b'
      ? { channel: row.channel, storeId: row.ownerId }
      : { channel: row.channel, userId: row.ownerId },
  ),
  requestId: row.requestId,
  end: row.status === 'completed' ? 'completed' : 'failed',
  requestedAt: row.createdAt,
  evidence: evidenceOf(state, row).words,
})

const unreturned = (state: StoreState, row: PlatformRow): Unreturned | null => {
  const { given, payer, credits, words } = evidenceOf(state, row)
  if (given !== null || payer === null) return null
  return {
    sessionId: row.id,
    channel: row.channel,
    ownerId: row.ownerId,
    requestId: row.requestId,
    requestedAt: row.createdAt,
    endedAt: row.completed_at ?? null,
    errorMessage: row.error_message ?? null,
    payer,
    credits,
    proof: row.channel === 'b2b' ? 'proved' : 'unproved',
    detail: words,
  }
}

interface Evidence {
  readonly given: string | null
  readonly payer: PastPayer | null
  readonly credits: number
  readonly words: string
}

const evidenceOf = (state: StoreState, row: PlatformRow): Evidence => {
  const given = givenBack(state, row)?.id ?? null
  const found = given === null ? null : `given back by transaction ${given}`
  if (row.channel === 'b2b') return evidenceOfRequest(state, row, given, found)
  const words = found ?? `${unnamedRefunds(state, row)} refunds of the user since then name no session`
  return { given, payer: 'user', credits: 1, words }
}

const evidenceOfRequest = (
  state: StoreState,
  row: PlatformRow,
  given: string | null,
  found: string | null,
): Evidence => {
  const own = transactionsOf(state.ledger, row.ownerId).filter(({ requestId }) => requestId === row.requestId)
  const charge = own.find(({ type }) => type === 'deduction')
  if (charge !== undefined) {
    const credits = -charge.amount
    const words = found ?? `${credits} credits were charged for the request and never given back`
    return { given, payer: shopperMarkOf(charge, row.shopperEmail) === null ? 'store' : 'shopper', credits, words }
  }
  if (own.some(({ type }) => type === 'overage')) {
    const words = found ?? "the store's card was charged: only the payment provider can give it back"
    return { given, payer: 'card', credits: 0, words }
  }
  const subscribed = ['active', 'trialing'].includes(state.ledger.subscriptions.get(row.ownerId) ?? '')
  const words = found ?? 'no charge is on record for the request'
  return { given, payer: subscribed ? 'unknown' : null, credits: 0, words }
}

const unnamedRefunds = (state: StoreState, row: PlatformRow): number => {
  const claims = claimed(state)
  return transactionsOf(state.ledger, row.ownerId).filter(
    ({ id, type, createdAt, description }) =>
      type === 'refund' &&
      Date.parse(createdAt) >= Date.parse(row.createdAt) &&
      sessionNamedIn(description) === null &&
      !claims.has(id),
  ).length
}
