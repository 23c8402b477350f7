import type { Fact } from '../events/fact.ts'
import { SessionId } from '../events/ids.ts'
import type { SessionView } from './queries.ts'
import type { RefundView } from './refund-view.ts'
import type { RefundColumns } from './refunds.ts'
import { type CreationColumns, patchedSession, type SessionColumns, sessions } from './sessions.ts'

/** A session row as the database hands it out; times in whatever ISO 8601 form it likes. */
export interface SessionRow extends SessionColumns {
  id: string
  channel: SessionView['channel']
  tenant: string | null
  request_id: string | null
  created_at: string | null
}

export const sessionView = (row: SessionRow): SessionView => ({
  sessionId: SessionId.parse(row.id),
  channel: row.channel,
  tenant: row.tenant,
  state: row.state === undefined || row.state === null || row.state === 'none' ? 'queued' : row.state,
  requestId: row.request_id,
  attempts: row.attempts ?? 0,
  imageUrl: row.generated_image_url === 'expired' ? null : (row.generated_image_url ?? null),
  imageUrlExpiresAt: utc(row.url_expires_at),
  failureCode: row.failure_code ?? null,
  errorMessage: row.error_message ?? null,
  processingTimeMs: row.processing_time_ms ?? null,
  costUsd: row.estimated_cost_usd ?? null,
  createdAt: utc(row.created_at),
  completedAt: utc(row.completed_at),
})

/** The view of a session that has no row: folded from its facts. Null when there is none. */
export const viewOfFacts = (facts: readonly Fact[]): SessionView | null => {
  const [first] = facts
  const patch = sessions.patches(facts.map((fact) => ({ ordinal: 0, fact })))[0]?.set as RowOfFacts | undefined
  if (first === undefined || patch === undefined) return null
  const row = patchedSession<SessionColumns>({}, patch)
  const { channel = null, owner_id: owner } = patch
  const tenant = channel === null ? null : `${channel === 'b2b' ? 'store' : 'user'}:${owner}`
  return sessionView({
    ...row,
    id: first.sessionId,
    channel,
    tenant,
    request_id: first.requestId,
    created_at: first.at,
  })
}

type RowOfFacts = SessionColumns & CreationColumns

/** A row of the refunds projection as the database hands it out. */
export interface RefundRow extends RefundColumns {
  session_id: string
}

export const refundView = (row: RefundRow): RefundView => ({
  sessionId: SessionId.parse(row.session_id),
  channel: row.channel ?? null,
  ownerId: row.owner_id ?? null,
  requestId: row.request_id ?? null,
  state: row.state ?? 'owed',
  payer: payerOf(row),
  credits: row.credits ?? null,
  since: utc(row.since) ?? '',
  tries: row.tries ?? 0,
  lastError: row.last_error ?? null,
  ledgerRecord: row.ledger_record ?? null,
  how: row.how ?? null,
  waiverReason: row.waiver_reason ?? null,
  settledAt: utc(row.settled_at),
  settlement: settlementOf(row),
})

const settlementOf = ({ settled_by: by, settled_how: how, settled_why: why }: RefundRow): RefundView['settlement'] =>
  by && how ? { by, how, why: why ?? '' } : null

const payerOf = ({ payer_kind: kind, payer_id: id, payer_email: email }: RefundRow): RefundView['payer'] => {
  if (!kind || !id) return null
  return email ? { kind, id, email } : { kind, id }
}

const utc = (time: string | null | undefined): string | null => (time ? new Date(time).toISOString() : null)
