import type { SessionId } from '../../events/ids.ts'
import type { MemoryLedger } from './ledger.ts'
import type { PlatformRow, StoreState } from './store-state.ts'

/** What the platform does by itself to rows and credits that are ours too. For simulations and tests. */
export interface PlatformPlay {
  /** Its push failed, or only its acknowledgement: it gives back and fails the row; the task may be in the list. */
  failPush(session: SessionId): Promise<void>
  /** Midnight UTC: old b2c rows that are still going are given back and failed, old image URLs expire. */
  midnight(): Promise<void>
  /** A store uninstalls: its queued rows fail, and nothing is given back. */
  uninstall(store: string): Promise<void>
  /** A user or store is deleted: rows, balances and transactions with it. */
  remove(owner: string): Promise<void>
  /** A user edits the own row, or someone else completes it. */
  edit(session: SessionId, status: 'queued' | 'completed' | 'failed'): Promise<void>
}

const STUCK_MS = 10 * 60_000
const EXPIRED_MS = 6 * 3_600_000

export const memoryPlatformPlay = (state: StoreState, ledger: MemoryLedger, now: () => number): PlatformPlay => ({
  failPush: async (session) => {
    const row = state.rows.get(session)
    if (row === undefined) return
    if (row.channel === 'b2c') {
      ledger.refundUser(row.ownerId, 1, 'Queue error - refund')
      fail(state, row, 'Failed to queue job')
    } else {
      ledger.refundStore(row.ownerId, 1, row.requestId ?? '', 'Queue error - refund')
      fail(state, row, 'Failed to queue generation task')
    }
  },
  midnight: async () => {
    for (const row of state.rows.values()) {
      const age = now() - Date.parse(row.createdAt)
      const going = row.status === 'queued' || row.status === 'processing'
      if (row.channel === 'b2c' && going && age > STUCK_MS) {
        ledger.refundUser(row.ownerId, 1, `Stuck job recovery: session ${row.id} timed out after 10 minutes`)
        fail(state, row, 'Generation timed out')
      } else if (row.channel === 'b2c' && row.generated_image_url && age > EXPIRED_MS) {
        state.rows.set(row.id, { ...row, generated_image_url: 'expired' })
      }
    }
  },
  uninstall: async (store) => {
    for (const row of state.rows.values()) {
      if (row.ownerId === store && row.status === 'queued') fail(state, row, 'Store uninstalled')
    }
  },
  remove: async (owner) => {
    for (const row of state.rows.values()) if (row.ownerId === owner) state.rows.delete(row.id)
    for (const key of state.ledger.shoppers.keys()) if (key.startsWith(`${owner}|`)) state.ledger.shoppers.delete(key)
    state.ledger.accounts.delete(owner)
    state.ledger.users.delete(owner)
    state.ledger.stores.delete(owner)
    state.ledger.transactions.delete(owner)
  },
  edit: async (session, status) => {
    const row = state.rows.get(session)
    if (row !== undefined) state.rows.set(session, { ...row, status })
  },
})

const fail = (state: StoreState, row: PlatformRow, message: string): void => {
  state.rows.set(row.id, { ...row, status: 'failed', error_message: message })
}
