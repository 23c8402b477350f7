import type { Fact } from '../events/fact.ts'
import type { RefundStory } from '../projections/reconciliation.ts'
import type { RefundView } from '../projections/refund-view.ts'
import type { Columns } from './csv.ts'

export const refundJson = (view: RefundView): object => ({
  session_id: view.sessionId,
  channel: view.channel,
  owner_id: view.ownerId,
  request_id: view.requestId,
  state: view.state,
  payer: view.payer,
  credits: view.credits,
  since: view.since,
  tries: view.tries,
  last_error: view.lastError,
  ledger_record: view.ledgerRecord,
  how: view.how,
  waiver_reason: view.waiverReason,
  settled_at: view.settledAt,
  settlement: view.settlement,
})

export const storyJson = ({ refund, decision, ledger }: RefundStory, facts: readonly Fact[]): object => ({
  refund: refund && refundJson(refund),
  decision: decision && {
    kind: decision.kind,
    data: decision.data,
    evidence: decision.evidence,
    recorded_at: decision.recordedAt,
  },
  ledger: ledger.map(({ createdAt, ...line }) => ({ ...line, created_at: createdAt })),
  facts,
})

export const refundColumns: Columns<RefundView> = {
  session_id: (view) => view.sessionId,
  channel: (view) => view.channel,
  owner_id: (view) => view.ownerId,
  request_id: (view) => view.requestId,
  state: (view) => view.state,
  since: (view) => view.since,
  tries: (view) => view.tries,
  last_error: (view) => view.lastError,
  payer_kind: (view) => view.payer?.kind ?? null,
  payer_id: (view) => view.payer?.id ?? null,
  payer_email: (view) => view.payer?.email ?? null,
  credits: (view) => view.credits,
  how: (view) => view.how,
  ledger_record: (view) => view.ledgerRecord,
  waiver_reason: (view) => view.waiverReason,
  settled_at: (view) => view.settledAt,
  settled_by: (view) => view.settlement?.by ?? null,
  settled_how: (view) => view.settlement?.how ?? null,
  settled_why: (view) => view.settlement?.why ?? null,
}
