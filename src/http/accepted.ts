import { createHash } from 'node:crypto'
import { z } from 'zod'
import { SessionId } from '../events/ids.ts'
import { tenantOf } from '../events/owner.ts'
import type { GenerationTask } from '../events/task.ts'
import type { SessionView } from '../projections/queries.ts'

/** The answer to a publication, as it is sent and as it is kept for a repeat. */
export const Accepted = z.object({
  session_id: SessionId,
  state: z.literal('queued'),
  request_id: z.string(),
  channel: z.enum(['b2b', 'b2c']),
  tenant: z.string(),
  accepted_at: z.string(),
})
export type Accepted = z.infer<typeof Accepted>

/** @param at ISO 8601, UTC. */
export const acceptedOf = (task: GenerationTask, at: string): Accepted => ({
  session_id: task.sessionId,
  state: 'queued',
  request_id: task.requestId,
  channel: task.owner.channel,
  tenant: tenantOf(task.owner),
  accepted_at: at,
})

/** A session that was accepted and that no projection has seen yet. */
export const queuedView = (accepted: Accepted): SessionView => ({
  sessionId: accepted.session_id,
  channel: accepted.channel,
  tenant: accepted.tenant,
  state: 'queued',
  requestId: accepted.request_id,
  attempts: 0,
  imageUrl: null,
  imageUrlExpiresAt: null,
  failureCode: null,
  errorMessage: null,
  processingTimeMs: null,
  costUsd: null,
  createdAt: accepted.accepted_at,
  completedAt: null,
})

/**
 * The task in the producer's words, always with the same bytes for the same task: its fingerprint, and what is published.
 * @param traceparent only published: a repeat is the same task in another trace.
 */
export const canonicalBytes = (task: GenerationTask, traceparent?: string): Uint8Array => {
  const { owner } = task
  return Buffer.from(
    JSON.stringify({
      task_id: task.taskId,
      channel: owner.channel,
      ...(owner.channel === 'b2b' ? { store_id: owner.storeId } : { user_id: owner.userId }),
      session_id: task.sessionId,
      image_urls: task.imageUrls,
      prompt: task.prompt,
      request_id: task.requestId,
      version: 1,
      ...(task.createdAt === null ? {} : { created_at: task.createdAt }),
      ...(traceparent === undefined ? {} : { traceparent }),
    }),
  )
}

/** SHA-256 in hex: whether two bodies say the same. */
export const fingerprintOf = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')
