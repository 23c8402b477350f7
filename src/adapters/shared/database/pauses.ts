import { z } from 'zod'
import type { Pause, PauseScope, Pauses } from '../../../machines/ports/pauses.ts'
import type { CallFunction } from './functions.ts'

/** The pauses behind the database's functions. */
export const databasePauses = (call: CallFunction): Pauses => ({
  list: async () => Row.array().parse(await call('wearon_pauses', {})),
  pause: async ({ scope, by, why, since }) =>
    Row.parse(await call('wearon_pause', { p_scope: scope, p_by: by, p_why: why, p_since: since })),
  resume: async (scope) => Row.nullable().parse((await call('wearon_resume', { p_scope: scope })) ?? null),
})

const Row: z.ZodType<Pause> = z.object({
  scope: z.custom<PauseScope>((scope) => typeof scope === 'string' && /^(?:all|list|(?:store|user):.+)$/.test(scope)),
  by: z.string(),
  why: z.string(),
  since: z.string(),
})
