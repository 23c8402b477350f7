import type { Fact } from '../../events/fact.ts'
import type { SessionId } from '../../events/ids.ts'
import type { Channel } from '../../events/owner.ts'
import type { Epoch } from '../../machines/ports/event-log.ts'
import type { Pause } from '../../machines/ports/pauses.ts'
import type { RefundOutcome } from '../../machines/ports/platform.ts'
import type { AuditEntry, KeptKey } from '../../projections/api-keys.ts'
import type { ReconciliationRun } from '../../projections/reconciliation.ts'
import type { RefundColumns } from '../../projections/refunds.ts'
import type { SessionColumns } from '../../projections/sessions.ts'
import type { ArchiveHead, RowPatch } from '../../projections/store.ts'
import { emptyLedger, type LedgerState } from './ledger.ts'

/** A session row of the platform, b2c or b2b. `state` and `seq` are set once we wrote to it. */
export interface PlatformRow extends SessionColumns {
  readonly id: SessionId
  readonly channel: Channel
  /** The user or the store. */
  readonly ownerId: string
  readonly requestId: string | null
  readonly shopperEmail: string | null
  createdAt: string
  seq: number
  /** What the row says; one credit when absent. */
  creditsUsed?: number
  readonly origin: 'producer' | 'worker'
}

/** What was decided about a session's refund, for good. */
export type RefundRecord = Extract<RefundOutcome, { kind: 'issued' | 'waived' | 'settled' }>

interface Acceptance {
  readonly sessionId: SessionId
  readonly tenant: string
  readonly key: string | null
  readonly fingerprint: string
  readonly answer: object
  readonly reservedAt: number
  published: boolean
}

interface OrphanObject {
  readonly sessionId: SessionId
  readonly storedAt: string
  readonly firstSeenAt: string
  readonly seenAt: string
  readonly goneAt: string | null
}

/** What outlives every process: plain data, so that `structuredClone` keeps a moment of it. */
export interface StoreState {
  /** By ordinal, from 1: the first is at index 0. */
  readonly facts: { fact: Fact; readonly partition: number; step: number }[]
  readonly sessions: Map<SessionId, Fact[]>
  /** Step ids by number, per partition. */
  readonly steps: Map<number, Map<number, string>>
  readonly heads: Map<number, ArchiveHead>
  readonly fences: Map<number, { readonly log: string; readonly epoch: Epoch }>
  /** By partition and the journal's last step at the grant: the latest epoch that was granted there. */
  readonly grants: Map<number, Map<number, number>>
  readonly projections: Map<string, { position: number; gone: number }>
  readonly setAside: Map<string, Map<SessionId, RowPatch[]>>
  readonly shadows: Map<string, Map<SessionId, RowPatch>>
  readonly rows: Map<SessionId, PlatformRow>
  readonly refunds: Map<SessionId, RefundColumns & { seq: number }>
  readonly refundRecords: Map<SessionId, RefundRecord>
  readonly acceptances: Map<SessionId, Acceptance>
  /** Reconciliations that were kept, the oldest first. */
  readonly runs: ReconciliationRun[]
  readonly erased: Set<SessionId>
  /** Images in storage without a completed session, by path. */
  readonly orphanObjects: Map<string, OrphanObject>
  readonly apiKeys: Map<string, KeptKey>
  readonly audit: Map<string, AuditEntry>
  readonly pauses: Map<string, Pause>
  readonly ledger: LedgerState
}

export const emptyStoreState = (): StoreState => ({
  facts: [],
  sessions: new Map(),
  steps: new Map(),
  heads: new Map(),
  fences: new Map(),
  grants: new Map(),
  projections: new Map(),
  setAside: new Map(),
  shadows: new Map(),
  rows: new Map(),
  refunds: new Map(),
  refundRecords: new Map(),
  acceptances: new Map(),
  runs: [],
  erased: new Set(),
  orphanObjects: new Map(),
  apiKeys: new Map(),
  audit: new Map(),
  pauses: new Map(),
  ledger: emptyLedger(),
})

/** The map's value under a key, made when missing. */
export const valueOf = <Key, Value>(map: Map<Key, Value>, key: Key, make: () => Value): Value => {
  const known = map.get(key)
  if (known !== undefined) return known
  const made = make()
  map.set(key, made)
  return made
}
