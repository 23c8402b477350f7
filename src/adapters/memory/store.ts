import type { Clock } from '../../machines/ports/environment.ts'
import type { Producer } from '../../projections/producer.ts'
import type { RowsOwner, Store } from '../../projections/store.ts'
import { memoryApiKeys, memoryAudit } from './api-keys.ts'
import { memoryArchive, memoryHistory } from './archive.ts'
import { memoryErasure } from './erasure.ts'
import { memoryHandbacks } from './handbacks.ts'
import { MemoryLedger } from './ledger.ts'
import { memoryOrphans } from './orphans.ts'
import { memoryPast } from './past.ts'
import { memoryPauses } from './pauses.ts'
import { memoryPlatform, type RefundMemory, refundMemory } from './platform.ts'
import { memoryPlatformPlay, type PlatformPlay } from './platform-play.ts'
import { memoryProducer } from './producer.ts'
import { memoryAcceptances, memoryQueries } from './queries.ts'
import type { StoreState } from './store-state.ts'
import { memoryRebuilds, memoryTables } from './tables.ts'

export interface MemoryStore extends Store {
  readonly producer: Producer
  readonly play: PlatformPlay
  readonly ledger: MemoryLedger
}

/**
 * The store over a state that outlives it: several stores on one state are several processes on one database, and what a
 * crash leaves is the state. Each method changes it in one go, before its promise resolves.
 */
export const openMemoryStore = (
  state: StoreState,
  { clock, rowsOwner, memory = refundMemory(state) }: { clock: Clock; rowsOwner: RowsOwner; memory?: RefundMemory },
): MemoryStore => {
  const now = () => clock.now()
  const ledger = new MemoryLedger(state.ledger, now)
  return {
    archive: memoryArchive(state),
    history: memoryHistory(state),
    platform: memoryPlatform(state, ledger, rowsOwner, memory),
    tables: memoryTables(state, ledger, rowsOwner),
    rebuilds: memoryRebuilds(state, ledger, rowsOwner),
    queries: memoryQueries(state, now),
    acceptances: memoryAcceptances(state, now),
    past: memoryPast(state),
    orphans: memoryOrphans(state, now),
    erasure: memoryErasure(state, now),
    apiKeys: memoryApiKeys(state),
    audit: memoryAudit(state),
    pauses: memoryPauses(state),
    handbacks: memoryHandbacks(state),
    producer: memoryProducer(state, ledger, now),
    play: memoryPlatformPlay(state, ledger, now),
    ledger,
    close: async () => {},
  }
}
