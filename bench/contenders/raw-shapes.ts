import { type FactType, factVersions } from '../../src/events/fact.ts'
import { notNoted } from '../../src/events/generation.ts'
import type { SessionId } from '../../src/events/ids.ts'
import type { Snapshot } from '../../src/machines/snapshot.ts'

/** When everything happens. */
export const AT = '2026-01-01T00:00:00.000Z'

export interface RawTask {
  readonly task_id: string
  readonly user_id: string
  readonly session_id: SessionId
  readonly image_urls: readonly string[]
  readonly prompt: string
  readonly request_id: string
}

/** Facts and snapshots with the bytes that the engine writes, made by hand. */
const fact = ({ session_id: id, request_id: requestId }: RawTask, seq: number, type: FactType, data: object) => ({
  id: `${id}/${seq}`,
  type,
  version: factVersions[type],
  sessionId: id,
  seq,
  at: AT,
  requestId,
  data,
})

const owner = (task: RawTask) => ({ channel: 'b2c', userId: task.user_id })

export const requested = (task: RawTask) =>
  fact(task, 1, 'generation.requested', {
    owner: owner(task),
    imageUrls: task.image_urls,
    prompt: task.prompt,
    taskId: task.task_id,
    source: 'http',
  })

export const started = (task: RawTask) => fact(task, 2, 'generation.started', { attempt: 1, deadline: AT })

export const completed = (task: RawTask) => {
  const provenance = { ...notNoted, generator: 'none', model: 'none' }
  const usage = { inputTokens: 0, outputTokens: 0, costUsd: 0, byKind: null }
  const path = `generated/${task.session_id}.jpg`
  const place = { path, url: 'https://x.example/y', urlExpiresAt: AT }
  return fact(task, 3, 'generation.completed', {
    attempt: 1,
    result: { ...place, usage, durationMs: 0, provenance, found: false },
  })
}

export const snapshotOf = (task: RawTask, seq: 1 | 2): Snapshot =>
  ({
    id: task.session_id,
    seq,
    state: seq === 1 ? 'queued' : 'processing',
    context: {
      owner: owner(task),
      requestId: task.request_id,
      imageUrls: task.image_urls,
      prompt: task.prompt,
      requestedAt: AT,
      attempt: seq - 1,
      orphans: seq - 1,
      retries: { transient: 0, rate_limited: 0, unknown: 0 },
      retryAt: null,
      failedAt: null,
      refundTries: 0,
    },
  }) as Snapshot
