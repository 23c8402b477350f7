import { z } from 'zod'
import { parseFact } from '../../../events/fact.ts'
import { SessionId } from '../../../events/ids.ts'
import type { Handbacks } from '../../../projections/hand-back.ts'
import type { CallFunction } from './functions.ts'

/** Sessions that leave, behind the database's functions. */
export const databaseHandbacks = (call: CallFunction): Handbacks => ({
  untouched: async ({ tenant = null, after = null, limit }) =>
    SessionId.array().parse(await call('wearon_untouched', { p_tenant: tenant, p_after: after, p_limit: limit })),
  released: async (limit) => {
    const histories = (await call('wearon_released', { p_limit: limit })) as unknown[][]
    return histories.map((facts) => facts.map(parseFact))
  },
  counts: async () => {
    const { released, handed_back: handedBack } = Counts.parse(await call('wearon_handback_counts', {}))
    return { released, handedBack }
  },
})

const Counts = z.object({ released: z.number(), handed_back: z.number() })
