import type { RefundMemory } from '../adapters/memory/platform.ts'
import { openMemoryStore } from '../adapters/memory/store.ts'
import type { StoreState } from '../adapters/memory/store-state.ts'
import type { Platform } from '../machines/ports/platform.ts'
import { overNetwork } from './network.ts'
import { ConnectionLost, type Process } from './process.ts'

/** The one database of a simulated system, and what is wrong with it at the moment. */
export interface SharedStore {
  readonly store: StoreState
  /** The database does not answer until then: the archive falls behind, while the log goes on. */
  readonly storeDownUntil: number
  /** No credit can be given back until then, as where a balance is missing: refunds wait, and some are escalated. */
  readonly ledgerRefusesUntil: number
  now(): number
}

/** A process's own way to the store: over the network, where calls are lost, and as long as the database is up. */
export const storeWayOf = (process: Process, shared: SharedStore, memory: RefundMemory | undefined) => {
  const store = openMemoryStore(shared.store, {
    clock: process.clock,
    rowsOwner: 'platform',
    ...(memory && { memory }),
  })
  const reach = <Port extends object>(port: Port, local: readonly (keyof Port)[] = []): Port =>
    overNetwork(port, (operation) => process.call(() => whileUp(shared, operation)), local)
  return {
    archive: reach(store.archive, ['onGrowth']),
    tables: reach(store.tables),
    history: reach(store.history),
    platform: reach(refusing(shared, store.platform)),
    pauses: reach(store.pauses),
    handbacks: reach(store.handbacks),
  }
}

const refusing = (shared: SharedStore, platform: Platform): Platform => ({
  ...platform,
  refund: async (session, fence) =>
    shared.now() < shared.ledgerRefusesUntil
      ? { kind: 'error', detail: 'the ledger refuses' }
      : platform.refund(session, fence),
})

const whileUp = <Value>(shared: SharedStore, operation: () => Promise<Value>): Promise<Value> =>
  shared.now() < shared.storeDownUntil ? Promise.reject(new ConnectionLost('the database is down')) : operation()
