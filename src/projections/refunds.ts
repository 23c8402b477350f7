import type { FactOf } from '../events/fact.ts'
import type { Sender } from '../events/generation.ts'
import type { Owner } from '../events/owner.ts'
import type { Payer, WaiverReason } from '../events/refund.ts'
import { projection } from './projection.ts'
import type { RefundState } from './refund-view.ts'
import { ownerId } from './sessions.ts'

/** One row per session: how it ended, and what became of its refund where it has one (`state` is set). */
export interface RefundColumns {
  channel?: Owner['channel']
  owner_id?: string
  request_id?: string | null
  requested_at?: string
  /** `handed_back`: another worker's by now, and no part of these books. */
  outcome?: 'open' | 'completed' | 'failed' | 'handed_back'
  ended_at?: string
  state?: RefundState
  since?: string
  tries?: number
  last_error?: string
  payer_kind?: Payer['kind']
  payer_id?: string
  payer_email?: string
  credits?: number
  ledger_record?: string
  how?: FactOf<'refund.issued'>['data']['how']
  waiver_reason?: WaiverReason
  waiver_detail?: string
  settled_at?: string
  settled_by?: string
  settled_how?: string
  settled_why?: string
}

/** Answers "who is owed what, and who got it back?": what the reconciliation holds against the platform's ledger. */
export const refunds = projection<RefundColumns>('refunds', {
  'generation.requested': ({ at, requestId, data }) => ({
    ...whose(data.owner, requestId),
    requested_at: at,
    // One that was handed back may come again.
    outcome: 'open',
  }),
  'generation.released': () => null,
  'generation.handed_back': ({ at }) => ended('handed_back', at),
  'generation.rejected': ({ at, requestId, data }) => ({
    ...(data.owner ? whose(data.owner, requestId) : { request_id: requestId }),
    requested_at: at,
    ...ended('failed', at),
  }),
  'generation.started': () => null,
  'generation.deferred': () => null,
  'generation.completed': ({ at }) => ended('completed', at),
  'generation.failed': ({ at }) => ended('failed', at),
  'generation.cancelled': ({ at }) => ended('failed', at),
  'generation.withdrawn': ({ at }) => ended('failed', at),
  'generation.imported': ({ at, requestId, data }) => ({
    ...whose(data.owner, requestId),
    requested_at: data.requestedAt ?? at,
    ...ended(data.end, at),
  }),
  'refund.requested': ({ at }) => ({ state: 'owed', since: at, tries: 0 }),
  'refund.approved': ({ at }) => ({ state: 'owed', since: at, tries: 0 }),
  'refund.retrying': ({ data }) => ({ state: 'owed', tries: data.tries, last_error: data.error }),
  'refund.escalated': ({ data }) => ({ state: 'escalated', tries: data.tries, last_error: data.error }),
  'refund.issued': ({ at, data }) => ({
    state: 'issued',
    settled_at: at,
    credits: data.credits,
    ledger_record: data.ledgerRecord,
    how: data.how,
    ...paidTo(data.payer),
  }),
  'refund.waived': ({ at, data }) => ({
    state: 'waived',
    settled_at: at,
    waiver_reason: data.reason,
    waiver_detail: data.detail,
  }),
  'refund.settlement_requested': () => null,
  'refund.settled': ({ at, data }) => ({
    state: 'settled',
    settled_at: at,
    settled_by: nameOf(data.by),
    settled_how: data.how,
    settled_why: data.why,
  }),
})

const whose = (owner: Owner, requestId: string | null): RefundColumns => ({
  channel: owner.channel,
  owner_id: ownerId(owner),
  request_id: requestId,
})

const ended = (outcome: 'completed' | 'failed' | 'handed_back', at: string): RefundColumns => ({
  outcome,
  ended_at: at,
})

const paidTo = (payer: Payer): RefundColumns => {
  if (payer.kind === 'user') return { payer_kind: 'user', payer_id: payer.userId }
  if (payer.kind === 'store') return { payer_kind: 'store', payer_id: payer.storeId }
  return { payer_kind: 'shopper', payer_id: payer.storeId, payer_email: payer.email }
}

const nameOf = (by: Sender): string => {
  if (by.role === 'operator') return by.name
  return by.role === 'tenant' ? by.tenant : 'runtime'
}
