import { parseFact } from '../../../events/fact.ts'
import type { Owner } from '../../../events/owner.ts'
import type { Erasure } from '../../../projections/erasure.ts'
import { ownerId } from '../../../projections/sessions.ts'
import type { CallFunction } from './functions.ts'

/** Erasure behind the database's functions. `now`: ISO 8601. */
export const databaseErasure = (call: CallFunction, now: () => string): Erasure => ({
  forgetExpired: async (limit) => Number(await call('wearon_forget_expired', { p_now: now(), p_limit: limit })),
  erasable: async (owner, limit) => {
    const found = await call('wearon_erasable', { ...named(owner), p_limit: limit })
    const { open, sessions } = found as { open: number; sessions: unknown[][] }
    return { open, sessions: sessions.map((facts) => facts.map(parseFact)) }
  },
  erase: async (facts) => {
    await call('wearon_erase', { p_facts: facts })
  },
  note: async (owner, by, sessions) => {
    await call('wearon_note_erasure', { ...named(owner), p_by: by, p_sessions: sessions })
  },
})

const named = (owner: Owner) => ({ p_kind: owner.channel === 'b2b' ? 'store' : 'user', p_owner: ownerId(owner) })
