import { closedBy, ERASED, erasedFact, withoutQuery } from '../../events/erasure.ts'
import type { Fact } from '../../events/fact.ts'
import type { SessionId } from '../../events/ids.ts'
import type { Owner } from '../../events/owner.ts'
import type { Erasure } from '../../projections/erasure.ts'
import { ownerId } from '../../projections/sessions.ts'
import type { RefundRecord, StoreState } from './store-state.ts'

/** Erasure, as the SQL functions `wearon_erasable` and `wearon_erase` do it. Nobody reads its audit here. */
export const memoryErasure = (state: StoreState, now: () => number): Erasure => ({
  forgetExpired: async (limit) => {
    const expired = [...state.sessions.values()]
      .flat()
      .filter((fact) => isExpired(fact, now()))
      .slice(0, limit)
    for (const { sessionId } of expired) rewriteFacts(state, sessionId, unsignedResult)
    return expired.length
  },
  erasable: async (owner, limit) => {
    const known = sessionsOf(state, owner).filter((id) => state.sessions.has(id) && !state.erased.has(id))
    const [closed, open] = [known.filter((id) => isClosed(state, id)), known.filter((id) => !isClosed(state, id))]
    return { open: open.length, sessions: closed.slice(0, limit).map((id) => [...(state.sessions.get(id) ?? [])]) }
  },
  erase: async (facts) => {
    for (const id of new Set(facts.map(({ sessionId }) => sessionId))) eraseSession(state, id)
  },
  note: async () => {},
})

/** Puts other facts in the place of a session's. */
export const rewriteFacts = (state: StoreState, session: SessionId, rewrite: (fact: Fact) => Fact): void => {
  const before = state.sessions.get(session) ?? []
  const after = new Map(before.map((fact) => [fact, rewrite(fact)]))
  if (before.every((fact) => after.get(fact) === fact)) return
  state.sessions.set(session, [...after.values()])
  for (const place of state.facts) place.fact = after.get(place.fact) ?? place.fact
}

const isExpired = (fact: Fact, nowMs: number): boolean =>
  fact.type === 'generation.completed' &&
  fact.data.result.url.includes('?') &&
  Date.parse(fact.data.result.urlExpiresAt) < nowMs

const unsignedResult = (fact: Fact): Fact => {
  if (fact.type !== 'generation.completed') return fact
  const { result } = fact.data
  return { ...fact, data: { ...fact.data, result: { ...result, url: withoutQuery(result.url) } } }
}

const sessionsOf = ({ refunds, rows }: StoreState, owner: Owner): SessionId[] => {
  const inBooks = [...refunds].filter(([, books]) => books.owner_id === ownerId(owner)).map(([id]) => id)
  const withRow = [...rows.values()].filter((row) => row.ownerId === ownerId(owner)).map(({ id }) => id)
  return [...new Set([...inBooks, ...withRow])].toSorted()
}

const isClosed = (state: StoreState, id: SessionId): boolean => closedBy(state.sessions.get(id) ?? []).has(id)

const eraseSession = (state: StoreState, id: SessionId): void => {
  rewriteFacts(state, id, erasedFact)
  const books = state.refunds.get(id)
  if (books !== undefined) {
    if (books.last_error !== undefined) books.last_error = ''
    if (books.payer_email !== undefined) books.payer_email = ERASED
    if (books.settled_why !== undefined) books.settled_why = ERASED
  }
  const record = state.refundRecords.get(id)
  if (record !== undefined) state.refundRecords.set(id, erasedRecord(record))
  const row = state.rows.get(id)
  if (row?.generated_image_url) state.rows.set(id, { ...row, generated_image_url: 'expired' })
  state.acceptances.delete(id)
  state.erased.add(id)
}

const erasedRecord = (record: RefundRecord): RefundRecord => {
  if (record.kind === 'settled') return { ...record, data: { ...record.data, why: ERASED } }
  if (record.kind !== 'issued' || record.data.payer.kind !== 'shopper') return record
  return { ...record, data: { ...record.data, payer: { ...record.data.payer, email: ERASED } } }
}
