import { type FailureCode, failures } from '../events/codes.ts'
import { withoutQuery } from '../events/erasure.ts'
import type { Channel, Owner } from '../events/owner.ts'
import type { SessionState } from '../machines/compile.ts'
import { projection } from './projection.ts'

/** The columns of a session row that are ours to write. `status` is what the front ends watch: it is never 'refunded'. */
export interface SessionColumns {
  status?: 'queued' | 'processing' | 'completed' | 'failed'
  /** `none`: it is not ours any more, and the column is empty again. */
  state?: SessionState | 'none'
  attempts?: number
  error_message?: string | null
  failure_code?: FailureCode
  generated_image_url?: string
  url_expires_at?: string
  result_path?: string
  processing_time_ms?: number
  input_tokens?: number
  output_tokens?: number
  estimated_cost_usd?: number
  completed_at?: string
  /** The platform ended the row by itself: what it wrote there stays. */
  keep_ended?: boolean
}

/** What a missing row is created from, on tables of our own. */
export interface CreationColumns {
  channel?: Channel
  owner_id?: string
  request_id?: string | null
  created_at?: string
  image_urls?: readonly string[]
  prompt?: string
}

/** Answers "how is my try-on doing?": our columns of the platform's session rows. */
export const sessions = projection<SessionColumns & CreationColumns>('sessions', {
  // Its row waits in the platform's eyes, as it did, whoever works on it.
  'generation.released': () => null,
  'generation.handed_back': () => ({ state: 'none' }),
  'generation.requested': ({ at, requestId, data }) => ({
    status: 'queued',
    state: 'queued',
    attempts: 0,
    channel: data.owner.channel,
    owner_id: ownerId(data.owner),
    request_id: requestId,
    created_at: at,
    image_urls: data.imageUrls,
    prompt: data.prompt,
  }),
  'generation.rejected': ({ data: { code = 'invalid_task' } }) => failed(code, failures[code].message),
  'generation.started': ({ data }) => ({ status: 'processing', state: 'processing', attempts: data.attempt }),
  'generation.deferred': () => ({ status: 'queued', state: 'queued' }),
  'generation.completed': ({ at, data: { result } }) => ({
    status: 'completed',
    state: 'completed',
    generated_image_url: result.url,
    url_expires_at: result.urlExpiresAt,
    result_path: result.path,
    processing_time_ms: result.durationMs,
    input_tokens: result.usage.inputTokens,
    output_tokens: result.usage.outputTokens,
    estimated_cost_usd: result.usage.costUsd,
    completed_at: at,
  }),
  'generation.failed': ({ data }) => failed(data.code, data.message),
  'generation.cancelled': () => failed('cancelled', failures.cancelled.message),
  'generation.withdrawn': () => ({ ...failed('withdrawn', failures.withdrawn.message), keep_ended: true }),
  // Its row is from before us and stays as it is.
  'generation.imported': ({ data }) => ({ state: data.end }),
  'refund.requested': () => null,
  'refund.issued': () => ({ state: 'refunded' }),
  'refund.retrying': () => null,
  'refund.waived': () => null,
  'refund.escalated': () => null,
  'refund.settlement_requested': () => null,
  'refund.settled': () => null,
  'refund.approved': () => null,
})

const failed = (code: FailureCode, message: string): SessionColumns => ({
  status: 'failed',
  state: 'failed',
  error_message: message,
  failure_code: code,
})

export const ownerId = (owner: Owner): string => (owner.channel === 'b2b' ? owner.storeId : owner.userId)

const ended = new Set<unknown>(['completed', 'failed'])

/**
 * The row after a patch, as the SQL function `wearon.session_columns` has it: an ended row never reopens (the platform may
 * have failed it meanwhile), a failed one keeps its words (the refund reads from them who failed it), a withdrawn one also
 * its status, an expired URL stays expired, and a signed one signed: the archive forgets signatures.
 */
export const patchedSession = <Row extends SessionColumns>(row: Row, patch: SessionColumns & CreationColumns): Row => {
  const kept: SessionColumns = {}
  const reopens = patch.status === 'queued' || patch.status === 'processing'
  if (ended.has(row.status) && (patch.keep_ended === true || reopens)) kept.status = row.status ?? 'failed'
  if (ended.has(row.status) && patch.keep_ended === true) kept.error_message = row.error_message ?? null
  if (row.status === 'failed' && patch.status === 'failed' && row.error_message) kept.error_message = row.error_message
  if (patch.status === 'completed') kept.error_message = null
  const url = row.generated_image_url
  if (url !== undefined && (url === 'expired' || withoutQuery(url) === patch.generated_image_url))
    kept.generated_image_url = url
  const next = { ...row, ...withoutCreation(patch), ...kept }
  if (next.state === 'none') delete next.state
  return next
}

const CREATION = ['channel', 'owner_id', 'request_id', 'created_at', 'image_urls', 'prompt', 'keep_ended'] as const

/** The columns of a patch that a row has. */
const withoutCreation = (patch: SessionColumns & CreationColumns): SessionColumns => {
  const columns = { ...patch }
  for (const column of CREATION) delete columns[column]
  return columns
}
