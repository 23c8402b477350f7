import { z } from 'zod'
import { FailureCode } from './codes.ts'
import { fact } from './fact-schema.ts'
import { Owner } from './owner.ts'
import { IMAGES_MAX, ImageUrl, PROMPT_MAX, TASK_ID_MAX, TaskSource } from './task.ts'
import { Time, text } from './text.ts'

const Attempt = z.int().nonnegative()
const Detail = text(2_000)

/** Tokens that the provider counted, and what they cost in USD. */
export const Usage = z.object({
  inputTokens: z.int().nonnegative(),
  outputTokens: z.int().nonnegative(),
  costUsd: z.number().nonnegative(),
})
export type Usage = z.infer<typeof Usage>

/** What made an image: enough to tell later which inputs, model and request it came from. */
export const Provenance = z.object({
  generator: text(50),
  model: text(100),
  /** The provider's own id of the request, for its support. */
  providerRequestId: text(200).nullable(),
  /** SHA-256 of each input picture as it was sent, in order. */
  inputs: z.array(text(64)).max(IMAGES_MAX),
})
export type Provenance = z.infer<typeof Provenance>

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
  fact('generation.completed', { attempt: Attempt, result: Result }),
  fact('generation.failed', { attempt: Attempt, code: FailureCode, message: text(500), detail: Detail }),
  fact('generation.cancelled', { by: Sender }),
  fact('generation.withdrawn', { why: Withdrawal, detail: Detail }),
  fact('generation.imported', {
    end: z.enum(['completed', 'failed']),
    owner: Owner,
    evidence: Detail,
    /** When its row was made: the day that it belongs to in the books. */
    requestedAt: Time.optional(),
  }),
] as const
