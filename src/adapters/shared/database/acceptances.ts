import type { Acceptances } from '../../../projections/queries.ts'
import type { CallFunction } from './functions.ts'

/** Acceptances behind the database's functions. `now`: ISO 8601. */
export const databaseAcceptances = (call: CallFunction, now: () => string): Acceptances => ({
  reserve: async ({ sessionId, tenant, key, fingerprint, answer }) =>
    (await call('wearon_accept', {
      p_session: sessionId,
      p_tenant: tenant,
      p_key: key,
      p_fingerprint: fingerprint,
      p_answer: answer,
      p_at: now(),
    })) as Awaited<ReturnType<Acceptances['reserve']>>,
  published: async (id) => {
    await call('wearon_accept_published', { p_session: id })
  },
  find: async (id) => (await call('wearon_accepted', { p_session: id })) as object | null,
  prune: async (before) => Number(await call('wearon_accept_prune', { p_before: before })),
})
