import { z } from 'zod'
import { SessionId } from './ids.ts'
import { Time, text } from './text.ts'

export const REQUEST_ID_MAX = 200

/**
 * The shape that all facts share: `id` is `<sessionId>/<seq>`, `seq` counts from 1 without a gap, `at` is UTC.
 * A new version of a fact is a new schema beside the old one, with an upcaster in `fact.ts`.
 */
export const fact = <Type extends string, Data extends z.ZodRawShape>(type: Type, data: Data) =>
  z.object({
    id: z.string(),
    type: z.literal(type),
    version: z.literal(1),
    sessionId: SessionId,
    seq: z.int().positive(),
    at: Time,
    requestId: text(REQUEST_ID_MAX).nullable(),
    data: z.object(data),
  })
