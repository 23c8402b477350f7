import type { SessionId } from '../../events/ids.ts'
import type { Handbacks } from '../../projections/hand-back.ts'
import { tenantOfRow } from './queries.ts'
import type { StoreState } from './store-state.ts'

/** Sessions that leave, as the SQL functions `wearon_untouched` and `wearon_released` find them. */
export const memoryHandbacks = (state: StoreState): Handbacks => ({
  untouched: async ({ tenant, after, limit }) => {
    const leaving = new Set(releases(state).map(({ sessionId }) => sessionId))
    return [...state.rows.values()]
      .filter((row) => row.state === 'queued' && (row.attempts ?? 0) === 0 && !leaving.has(row.id))
      .filter((row) => state.refunds.get(row.id)?.outcome === 'open' && (!tenant || tenantOfRow(row) === tenant))
      .map(({ id }) => id)
      .filter((id) => after === undefined || id > after)
      .toSorted()
      .slice(0, limit)
  },
  released: async (limit) => {
    const followed = state.projections.get('sessions')?.position ?? 0
    return releases(state)
      .filter(({ ordinal }) => ordinal <= followed)
      .slice(0, limit)
      .map(({ sessionId }) => [...(state.sessions.get(sessionId) ?? [])])
  },
  counts: async () => ({
    released: releases(state).length,
    handedBack: state.facts.filter(({ fact }) => fact.type === 'generation.handed_back').length,
  }),
})

/** The releases that their sessions' facts end with, by ordinal. */
const releases = ({ facts, sessions }: StoreState): { ordinal: number; sessionId: SessionId }[] =>
  facts.flatMap(({ fact: { type, sessionId, seq } }, index) =>
    type === 'generation.released' && sessions.get(sessionId)?.at(-1)?.seq === seq
      ? [{ ordinal: index + 1, sessionId }]
      : [],
  )
