import type { FactOf } from '../../events/fact.ts'
import type { SessionId } from '../../events/ids.ts'
import type { Payer, Settlement } from '../../events/refund.ts'
import { clipped } from '../../events/text.ts'
import type { Fence, Platform, RefundOutcome, Wanted } from '../../machines/ports/platform.ts'
import type { RowsOwner } from '../../projections/store.ts'
import { givenBack, payerOf } from './given-back.ts'
import { type MemoryLedger, type Transaction, transactionsOf } from './ledger.ts'
import type { PlatformRow, RefundRecord, StoreState } from './store-state.ts'

/** What makes a refund happen once. A test replaces it to see that its loss is noticed. */
export interface RefundMemory {
  recall(session: SessionId): RefundRecord | null
  remember(session: SessionId, record: RefundRecord): void
  /** The refund that the ledger holds already. */
  inLedger(row: PlatformRow): Transaction | null
}

export const refundMemory = (state: StoreState): RefundMemory => ({
  recall: (session) => state.refundRecords.get(session) ?? null,
  remember: (session, record) => {
    state.refundRecords.set(session, record)
  },
  inLedger: (row) => givenBack(state, row),
})

/** The platform with the semantics of the SQL functions. Each method is one step: nothing else happens inside of it. */
export const memoryPlatform = (
  state: StoreState,
  ledger: MemoryLedger,
  rowsOwner: RowsOwner,
  memory: RefundMemory,
): Platform => {
  const once = (session: SessionId, { partition, epoch }: Fence, settlement: Settlement | null): RefundOutcome => {
    const fence = state.fences.get(partition)?.epoch.number ?? null
    if (fence !== epoch) {
      const detail = `epoch ${epoch} of partition ${partition} is not the last admitted one (${fence ?? 'none'})`
      return { kind: 'refused', detail }
    }
    const known = memory.recall(session)
    if (known !== null) return known
    try {
      const record = decide(state, ledger, memory, session, settlement)
      memory.remember(session, record)
      return record
    } catch (error) {
      return { kind: 'error', detail: error instanceof Error ? error.message : String(error) }
    }
  }
  return {
    look: async (session) => look(state, rowsOwner, memory, session),
    refund: async (session, fence) => once(session, fence, null),
    settle: async (session, settlement, fence) => once(session, fence, settlement),
  }
}

const look = (state: StoreState, rowsOwner: RowsOwner, memory: RefundMemory, session: SessionId): Wanted => {
  const record = memory.recall(session)
  if (record !== null) return unwanted('given_back', `a refund is on record: ${record.kind}`)
  const row = state.rows.get(session)
  const refund = row && memory.inLedger(row)
  if (refund) return unwanted('given_back', `the ledger holds its refund ${refund.id}`)
  if (row?.status === 'completed') return unwanted('row_completed', 'someone else completed the row')
  if (row?.status === 'failed') {
    return unwanted('row_failed', clipped(`someone else failed the row: ${row.error_message ?? 'no message'}`, 1_000))
  }
  const gone = row === undefined && (rowsOwner === 'platform' || rowWasWritten(state, session))
  return gone ? unwanted('row_gone', 'there is no session row') : { wanted: true }
}

const unwanted = (why: FactOf<'generation.withdrawn'>['data']['why'], detail: string): Wanted => ({
  wanted: false,
  why,
  detail,
})

/** True when the projection of session rows has the session behind it, so that its row must be there. */
const rowWasWritten = (state: StoreState, session: SessionId): boolean => {
  const position = state.projections.get('sessions')?.position ?? 0
  const first = state.facts.findIndex(({ fact }) => fact.sessionId === session)
  return first >= 0 && first < position && !state.setAside.get('sessions')?.has(session)
}

/** Decides what a failed session's refund is, and pays it where it is to be paid. @throws before anything changed. */
const decide = (
  state: StoreState,
  ledger: MemoryLedger,
  memory: RefundMemory,
  session: SessionId,
  settlement: Settlement | null,
): RefundRecord => {
  const row = state.rows.get(session)
  const completed = state.sessions.get(session)?.some(({ type }) => type === 'generation.completed')
  if (row?.status === 'completed') return waived('row_completed', 'the session is completed: its row says so')
  if (completed) return waived('row_completed', 'the session is completed: its facts say so')
  const found = row && memory.inLedger(row)
  if (row && found) return issued(found, payerOf(row, found), 'found')
  if (settlement !== null) {
    if (row !== undefined) closeRow(state, row)
    return { kind: 'settled', data: settlement }
  }
  if (row === undefined) return waived('never_charged', 'there is no session row, so nobody to give anything back to')
  if (row.origin === 'worker') {
    return waived('never_charged', 'the row was made here: no producer charged for it')
  }
  if (row.channel === 'b2b') return refundStoreSession(state, ledger, row)
  if (!state.ledger.users.has(row.ownerId)) {
    throw new Error(`user ${row.ownerId} has no balance row to give the credit back to`)
  }
  closeRow(state, row)
  const paid = ledger.refundUser(row.ownerId, 1, `refund:${session}`)
  return issued(paid, payerOf(row, paid), 'paid')
}

/** Our projection may lag, and the platform's midnight job gives back what still looks as if it were going. */
const closeRow = (state: StoreState, row: PlatformRow): void => {
  if (row.channel === 'b2c' && row.status !== 'failed') state.rows.set(row.id, { ...row, status: 'failed' })
}

const refundStoreSession = (state: StoreState, ledger: MemoryLedger, row: PlatformRow): RefundRecord => {
  const ofRequest = transactionsOf(state.ledger, row.ownerId).filter(({ requestId }) => requestId === row.requestId)
  const charge = ofRequest.find(({ type }) => type === 'deduction')
  if (charge !== undefined) return payStore(state, ledger, row, charge)
  if (ofRequest.some(({ type }) => type === 'overage')) {
    return waived('overage', "the store's card was charged: only the payment provider can give it back")
  }
  if (['active', 'trialing'].includes(state.ledger.subscriptions.get(row.ownerId) ?? '')) {
    const detail = 'no charge is on record, and the store has a subscription that may have been charged'
    return waived('charge_unknown', detail)
  }
  return waived('never_charged', 'no charge is on record')
}

const payStore = (state: StoreState, ledger: MemoryLedger, row: PlatformRow, charge: Transaction): RefundRecord => {
  const payer = payerOf(row, charge)
  const description = `refund:${row.id}`
  const requestId = row.requestId ?? ''
  if (payer.kind === 'shopper') {
    return issued(ledger.refundShopper(row.ownerId, payer.email, -charge.amount, requestId, description), payer, 'paid')
  }
  if (!state.ledger.stores.has(row.ownerId)) {
    throw new Error(`store ${row.ownerId} has no balance row to give the credit back to`)
  }
  return issued(ledger.refundStore(row.ownerId, -charge.amount, requestId, description), payer, 'paid')
}

const issued = (transaction: Transaction, payer: Payer, how: 'paid' | 'found'): RefundRecord => ({
  kind: 'issued',
  data: { credits: transaction.amount, payer, ledgerRecord: transaction.id, how },
})

const waived = (reason: FactOf<'refund.waived'>['data']['reason'], detail: string): RefundRecord => ({
  kind: 'waived',
  data: { reason, detail },
})
