import type { IncomingHttpHeaders } from 'node:http'
import { z } from 'zod'
import { encodeAsk, MESSAGE_BYTES_MAX } from '../events/command.ts'
import type { Sender } from '../events/generation.ts'
import { partitionOf, SessionId } from '../events/ids.ts'
import { GenerationTask } from '../events/task.ts'
import { isoTime } from '../events/text.ts'
import { GivenTraceparent } from '../events/traceparent.ts'
import { inSpan, SpanKind, traceparentOf } from '../tracing/trace.ts'
import { Accepted, acceptedOf, canonicalBytes, fingerprintOf } from './accepted.ts'
import { ofSession, ofTenant } from './access.ts'
import { AskedAnswer } from './answer-schemas.ts'
import { Backlog } from './backlog.ts'
import { type Caller, keptTo } from './caller.ts'
import type { HttpParts } from './parts.ts'
import { Problem, reach } from './problem.ts'
import { type Answer, type Call, parameters, type Route, route } from './route.ts'
import { findSession } from './sessions.ts'

/** What a trace adds to a task. */
const TRACEPARENT_BYTES_MAX = 100

/** Who asks for a change: a store or a user by its own key, else an operator. */
const senderOf = ({ name, tenant }: Caller): Sender =>
  tenant === null ? { role: 'operator', name } : { role: 'tenant', tenant }

/** What only publishes to the log: a new session, and a command to a known one. */
export const publishRoutes = (parts: HttpParts): Route[] => {
  const { env, limits, queries } = parts
  const backlog = new Backlog((tenant) => queries.backlog(tenant), limits.backlogCacheMs, env.clock)
  return [
    route({
      method: 'post',
      path: '/v1/generations',
      title: 'Publish a task; the session is durable when the answer comes',
      access: ofTenant('publish'),
      json: GenerationTask,
      answer: Accepted,
      handle: (call) => publishGeneration(call, parts, backlog),
    }),
    route({
      method: 'delete',
      path: '/v1/generations/:id',
      title: 'Cancel a session; its credit goes back',
      answer: AskedAnswer,
      access: ofSession('publish'),
      action: 'session.cancel',
      params: z.strictObject({ id: SessionId }),
      handle: (call) => cancelGeneration(call, parts),
    }),
  ]
}

/**
 * Reserves the answer, publishes, and only then answers: after the 202 the session is durable and never "not found". What
 * fails in between leaves a reservation that a repeat completes; a second publication is dropped by the session's machine.
 */
const publishGeneration = async (
  { json: task, headers, caller }: Call<unknown, unknown, GenerationTask>,
  parts: HttpParts,
  backlog: Backlog,
): Promise<Answer> => {
  const { acceptances, env } = parts
  const bytes = canonicalBytes(task)
  if (bytes.byteLength + TRACEPARENT_BYTES_MAX > MESSAGE_BYTES_MAX) throw new Problem('body_too_large')
  const answer = acceptedOf(task, isoTime(env.clock.now()))
  const { session_id: sessionId, tenant } = answer
  keptTo(caller, tenant)
  await refuseBeyondBacklog(answer, parts, backlog)
  const reserved = await reach(
    acceptances.reserve({ sessionId, tenant, key: idempotencyKey(headers), fingerprint: fingerprintOf(bytes), answer }),
  )
  if (reserved.outcome === 'key_reused') throw new Problem('key_reused')
  const first = reserved.outcome === 'first' ? answer : Accepted.parse(reserved.answer)
  if (first.tenant !== tenant) throw new Problem('session_of_another')
  if (reserved.outcome === 'first' || !reserved.published || (await isLost(first, parts))) {
    await publishTask(task, GivenTraceparent.parse(headers['traceparent']), parts)
    await reach(acceptances.published(sessionId))
    backlog.accepted(tenant)
  }
  return { status: 202, headers: { Location: `/v1/generations/${first.session_id}` }, body: first }
}

/**
 * So that whoever works on the session, in whichever process, shows in the trace of this request.
 * @param given the request's own: passed on where this process sends no traces.
 */
const publishTask = (task: GenerationTask, given: string | undefined, parts: HttpParts): Promise<void> =>
  inSpan('publish', { kind: SpanKind.PRODUCER, attributes: { 'session.id': task.sessionId } }, (span) =>
    publish(task.sessionId, canonicalBytes(task, traceparentOf(span) ?? given ?? task.traceparent), parts),
  )

/** A session that was accepted this long ago is in the archive, unless that lags far behind. */
const ARCHIVED_AFTER_MS = 60_000

/** A log that lost its last second lost what it had acknowledged: a repeat then brings the session back. */
const isLost = async (accepted: Accepted, { archive, env }: HttpParts): Promise<boolean> => {
  if (env.clock.now() - Date.parse(accepted.accepted_at) < ARCHIVED_AFTER_MS) return false
  return (await reach(archive.session(accepted.session_id))).length === 0
}

/** A repeat of what was accepted before gets its first answer, however long the backlog is. */
const refuseBeyondBacklog = async (
  { session_id, tenant }: Accepted,
  { acceptances, limits }: HttpParts,
  backlog: Backlog,
): Promise<void> => {
  if ((await reach(backlog.of(tenant))) < limits.tenantBacklogMax) return
  if ((await reach(acceptances.find(session_id))) === null) throw new Problem('backlog_full')
}

const cancelGeneration = async (
  { params: { id }, caller }: Call<{ id: SessionId }, unknown>,
  parts: HttpParts,
): Promise<Answer> => {
  const { state } = await findSession(id, parts)
  if (state !== 'queued' && state !== 'processing') throw new Problem('session_ended')
  await publish(id, encodeAsk({ command: 'generation.cancel', sessionId: id, by: senderOf(caller) }), parts)
  return { status: 202, body: { session_id: id, state } }
}

const publish = (id: SessionId, bytes: Uint8Array, { log }: HttpParts): Promise<void> =>
  reach(log.publish([{ partition: partitionOf(id, log.partitions), bytes, source: 'http' }]))

const KEY_MAX = 200
const KeyHeader = z.object({
  'Idempotency-Key': z
    .string()
    .max(KEY_MAX)
    .regex(/^[\x21-\x7e]+$/, 'is not made of printable characters')
    .optional(),
})

const idempotencyKey = (headers: IncomingHttpHeaders): string | null =>
  parameters(KeyHeader, { 'Idempotency-Key': headers['idempotency-key'] })['Idempotency-Key'] ?? null
