import { z } from 'zod'
import { SessionId } from './ids.ts'
import { Time, text } from './text.ts'

export const REQUEST_ID_MAX = 200
const TRACEPARENT_MAX = 60

/**
 * The shape that all facts share: `id` is `<sessionId>/<seq>`, `seq` counts from 1 without a gap, `at` is UTC.
 * A new version of a fact takes the place of the old schema, with an upcaster in `upcasters.ts`.
 */
export const fact = <Type extends string, Data extends z.ZodRawShape>(type: Type, data: Data, version = 1) =>
  z.object({
    id: z.string(),
    type: z.literal(type),
    version: z.literal(version),
    sessionId: SessionId,
    seq: z.int().positive(),
    at: Time,
    requestId: text(REQUEST_ID_MAX).nullable(),
    /** Of whom it is traced what asked for the session. */
    traceparent: text(TRACEPARENT_MAX).optional(),
    data: z.object(data),
  })
