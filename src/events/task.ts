import { z } from 'zod'
import { REQUEST_ID_MAX } from './fact-schema.ts'
import { SessionId, StoreId, UserId } from './ids.ts'
import type { Owner } from './owner.ts'
import { Time, text } from './text.ts'
import { GivenTraceparent } from './traceparent.ts'

export const IMAGES_MAX = 10
export const PROMPT_MAX = 10_000
export const TASK_ID_MAX = 200
const URL_MAX = 4_000
/** The largest message that an inbox takes, in bytes: ten URLs and a prompt fit many times over. */
export const MESSAGE_BYTES_MAX = 256 * 1024

/** How a task reached us. */
export const TaskSource = z.enum(['http', 'list', 'inbox', 'replay'])
export type TaskSource = z.infer<typeof TaskSource>

export const ImageUrl = text(URL_MAX).refine((url) => /^https?:\/\//i.test(url) && URL.canParse(url), {
  error: 'is not an http or https URL',
})

/** absent, null and "" all mean "not given" to the producers. */
const optional = <Schema extends z.ZodType>(schema: Schema) =>
  z.preprocess((value) => (value === null || value === '' ? undefined : value), schema.optional())

/** Who pays is named in one field and not in the other. */
const checkOwner = (
  wire: { channel: unknown; store_id?: unknown; user_id?: unknown },
  context: z.core.$RefinementCtx,
): void => {
  const { channel } = wire
  if (channel !== 'b2b' && channel !== 'b2c') return
  const [needed, forbidden] =
    channel === 'b2b' ? (['store_id', 'user_id'] as const) : (['user_id', 'store_id'] as const)
  const issue = (field: string, message: string) => context.addIssue({ code: 'custom', path: [field], message })
  if (wire[forbidden] !== undefined) issue(forbidden, `is not allowed for channel ${channel}`)
  if (wire[needed] === undefined) issue(needed, `is needed for channel ${channel}`)
}

const Wire = z
  .object({
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
    traceparent: GivenTraceparent.optional(),
  })
  // Asked beside other faults too, so that a producer reads all of them at once.
  .superRefine(checkOwner, { when: ({ value }) => typeof value === 'object' && value !== null })

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
  /** Which request of the producer's it belongs to, as W3C Trace Context has it. */
  readonly traceparent?: string | undefined
}

/** The producer's task (snake_case JSON) as the platform sends it. One issue per fault, under the field's own name. */
export const GenerationTask = Wire.transform(
  (wire): GenerationTask => ({
    taskId: wire.task_id,
    owner: ownerOf(wire) ?? z.NEVER,
    sessionId: wire.session_id,
    imageUrls: wire.image_urls,
    prompt: wire.prompt,
    requestId: wire.request_id,
    createdAt: wire.created_at ?? null,
    traceparent: wire.traceparent,
  }),
)

/** What a task of ours says: enough to write it down as its producer did. */
export type TaskWords = Omit<GenerationTask, 'traceparent'>

/** A task as the platform's producers write it, field by field and in their order. */
export const taskText = ({ taskId, owner, sessionId, imageUrls, prompt, requestId, createdAt }: TaskWords): string =>
  JSON.stringify({
    task_id: taskId,
    channel: owner.channel,
    ...(owner.channel === 'b2b' ? { store_id: owner.storeId } : { user_id: owner.userId }),
    session_id: sessionId,
    image_urls: imageUrls,
    prompt,
    request_id: requestId,
    version: 1,
    ...(createdAt !== null && { created_at: createdAt }),
  })

const ownerOf = ({ channel, store_id, user_id }: z.infer<typeof Wire>): Owner | undefined =>
  channel === 'b2b' ? store_id && { channel, storeId: store_id } : user_id && { channel, userId: user_id }

/** One line per field at fault, as a producer or an operator reads it: `store_id: is needed for channel b2b`. */
export const issueLines = (error: z.ZodError): string[] => {
  const lines = new Map<string, string>()
  for (const { path, message } of error.issues) {
    const field = path.join('.') || 'task'
    if (!lines.has(field)) lines.set(field, `${field}: ${message}`.slice(0, 500))
  }
  return [...lines.values()].slice(0, 50)
}
