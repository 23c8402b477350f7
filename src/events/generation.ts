import { z } from 'zod'
import { FailureCode } from './codes.ts'
import { fact } from './fact-schema.ts'
import { Owner } from './owner.ts'
import { IMAGES_MAX, ImageUrl, MESSAGE_BYTES_MAX, PROMPT_MAX, TASK_ID_MAX, TaskSource } from './task.ts'
import { Time, text } from './text.ts'

const Attempt = z.int().nonnegative()
const Detail = text(2_000)
/** Travels with each image through headers, so it is far shorter than a task's own prompt may be. */
const DEFAULT_PROMPT_MAX = 2_000

const Tokens = z.int().nonnegative()

/** Tokens that the provider counted, and what they cost in USD. */
export const Usage = z.object({
  inputTokens: Tokens,
  outputTokens: Tokens,
  costUsd: z.number().nonnegative(),
  /** The same tokens by kind, which prices tell apart; null where the provider does not say. */
  byKind: z.object({ textIn: Tokens, imageIn: Tokens, textOut: Tokens, imageOut: Tokens }).nullable(),
})
export type Usage = z.infer<typeof Usage>

const Parameter = z.union([text(200), z.number(), z.boolean()])

/** What made an image: enough to tell later which inputs, words, model, options and request it came from. */
export const Provenance = z.object({
  generator: text(50),
  model: text(100),
  /** Size, quality and whatever else was asked for, as it was sent. */
  parameters: z.record(text(50), Parameter),
  /** The provider's own id of the request, for its support. */
  providerRequestId: text(200).nullable(),
  /** SHA-256 of each input picture as it was sent, in order. */
  inputs: z.array(text(64)).max(IMAGES_MAX),
  /** SHA-256 of the words that were sent; null where none were. The words of a task are those of `generation.requested`. */
  promptSha256: text(64).nullable(),
  /** Our own words, sent where the task has none; null otherwise. */
  defaultPrompt: text(DEFAULT_PROMPT_MAX).nullable(),
})
export type Provenance = z.infer<typeof Provenance>

/** Of an image of which nothing more was noted than who made it. */
export const notNoted = {
  parameters: {},
  providerRequestId: null,
  inputs: [],
  promptSha256: null,
  defaultPrompt: null,
} satisfies Omit<Provenance, 'generator' | 'model'>

/** The stored image of a completed session. */
export const Result = z.object({
  path: text(500),
  url: text(4_000),
  urlExpiresAt: Time,
  usage: Usage,
  durationMs: z.int().nonnegative(),
  provenance: Provenance,
  /** True when an earlier try had left the image in storage, and this one only found it. */
  found: z.boolean(),
})
export type Result = z.infer<typeof Result>

/** Who asked for a change: a tenant for its own session, an operator by name, or the runtime itself. */
export const Sender = z.discriminatedUnion('role', [
  z.object({ role: z.literal('tenant'), tenant: text(100) }),
  z.object({ role: z.literal('operator'), name: text(100).min(1) }),
  z.object({ role: z.literal('runtime') }),
])
export type Sender = z.infer<typeof Sender>

export const Withdrawal = z.enum(['row_failed', 'row_gone', 'row_completed', 'given_back'])
export type Withdrawal = z.infer<typeof Withdrawal>

export const generationFacts = [
  fact('generation.requested', {
    owner: Owner,
    imageUrls: z.array(ImageUrl).min(1).max(IMAGES_MAX),
    prompt: text(PROMPT_MAX),
    taskId: text(TASK_ID_MAX),
    source: TaskSource,
    createdAt: Time.optional(),
    /** The task in its producer's words, where `taskText` would write it in others. It goes when the session is closed. */
    original: text(MESSAGE_BYTES_MAX).optional(),
  }),
  fact('generation.rejected', {
    issues: z.array(text(500)).min(1).max(50),
    /** `invalid_task` when absent. */
    code: FailureCode.optional(),
    /** Only where something else than the task told it. */
    owner: Owner.optional(),
  }),
  fact('generation.started', { attempt: Attempt, deadline: Time }),
  fact('generation.deferred', { attempt: Attempt, code: FailureCode, detail: Detail, retryAt: Time }),
  fact('generation.completed', { attempt: Attempt, result: Result }, 2),
  fact('generation.failed', { attempt: Attempt, code: FailureCode, message: text(500), detail: Detail }),
  fact('generation.cancelled', { by: Sender }),
  fact('generation.withdrawn', { why: Withdrawal, detail: Detail }),
  /** It leaves this system untouched: from now on its task is owed to the producers' list. */
  fact('generation.released', { by: Sender }),
  fact('generation.handed_back', {}),
  fact('generation.imported', {
    end: z.enum(['completed', 'failed']),
    owner: Owner,
    evidence: Detail,
    /** When its row was made: the day that it belongs to in the books. */
    requestedAt: Time.optional(),
  }),
] as const
