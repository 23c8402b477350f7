import { z } from 'zod'
import { REQUEST_ID_MAX } from './fact-schema.ts'
import { SessionId, StoreId, UserId } from './ids.ts'
import type { Owner } from './owner.ts'
import { Time, text } from './text.ts'

export const IMAGES_MAX = 10
export const PROMPT_MAX = 10_000
export const TASK_ID_MAX = 200
const URL_MAX = 4_000

/** How a task reached us. */
export const TaskSource = z.enum(['http', 'list', 'inbox', 'replay'])
export type TaskSource = z.infer<typeof TaskSource>

export const ImageUrl = text(URL_MAX).refine((url) => /^https?:\/\//i.test(url) && URL.canParse(url), {
  error: 'is not an http or https URL',
})

/** absent, null and "" all mean "not given" to the producers. */
const optional = <Schema extends z.ZodType>(schema: Schema) =>
  z.preprocess((value) => (value === null || value === '' ? undefined : value), schema.optional())

const Wire = z.object({
  task_id: text(TASK_ID_MAX).min(1),
  channel: z.enum(['b2b', 'b2c']),
  store_id: optional(StoreId),
  user_id: optional(UserId),
  session_id: SessionId,
  image_urls: z.array(ImageUrl).min(1).max(IMAGES_MAX),
  prompt: z.preprocess((value) => value ?? '', text(PROMPT_MAX)),
  request_id: text(REQUEST_ID_MAX).min(1),
  version: z.preprocess((value) => value ?? 1, z.literal(1)),
  created_at: optional(Time),
})

/** A generation task as the producers push it, read: who, which session, which pictures. */
export interface GenerationTask {
  readonly taskId: string
  readonly owner: Owner
  readonly sessionId: SessionId
  readonly imageUrls: string[]
  readonly prompt: string
  readonly requestId: string
  /** ISO 8601; without one, the session opens only after the archive says that it is unknown. */
  readonly createdAt: string | null
}

/** The producer's task (snake_case JSON) as the platform sends it. One issue per fault, under the field's own name. */
export const GenerationTask = Wire.transform((wire, context): GenerationTask => {
  const owner = ownerOf(wire, (field, message) => context.addIssue({ code: 'custom', path: [field], message }))
  return {
    taskId: wire.task_id,
    owner: owner ?? z.NEVER,
    sessionId: wire.session_id,
    imageUrls: wire.image_urls,
    prompt: wire.prompt,
    requestId: wire.request_id,
    createdAt: wire.created_at ?? null,
  }
})

const ownerOf = (wire: z.infer<typeof Wire>, issue: (field: string, message: string) => void): Owner | undefined => {
  const [needed, forbidden] =
    wire.channel === 'b2b' ? (['store_id', 'user_id'] as const) : (['user_id', 'store_id'] as const)
  if (wire[forbidden] !== undefined) issue(forbidden, `is not allowed for channel ${wire.channel}`)
  if (wire[needed] === undefined) issue(needed, `is needed for channel ${wire.channel}`)
  if (wire.channel === 'b2b') return wire.store_id && { channel: 'b2b', storeId: wire.store_id }
  return wire.user_id && { channel: 'b2c', userId: wire.user_id }
}

/** One line per fault, as a producer or an operator reads it: `store_id is needed for channel b2b`. */
export const issueLines = (error: z.ZodError): string[] =>
  error.issues.map((issue) => `${issue.path.join('.') || 'task'}: ${issue.message}`.slice(0, 500)).slice(0, 50)
