import { shopperKey, transactionsOf } from '../../src/adapters/memory/ledger.ts'
import { openMemoryStore } from '../../src/adapters/memory/store.ts'
import { emptyStoreState } from '../../src/adapters/memory/store-state.ts'
import { isoTime } from '../../src/events/text.ts'
import { ownerId } from '../../src/projections/sessions.ts'
import { realClock } from './clock.ts'
import type { StoreWorld } from './store-world.ts'
import { memoryTamper } from './tamper.ts'

export const memoryStoreWorld = (): StoreWorld => {
  const state = emptyStoreState()
  const open: StoreWorld['open'] = (rowsOwner = 'platform') => openMemoryStore(state, { clock: realClock, rowsOwner })
  const { producer, play } = openMemoryStore(state, { clock: realClock, rowsOwner: 'platform' })
  const { ledger } = state
  return {
    open,
    producer,
    play,
    tamper: memoryTamper(state),
    balance: async (owner, email) => {
      const id = ownerId(owner)
      const accounts = owner.channel === 'b2b' ? ledger.stores : ledger.users
      return (email ? ledger.shoppers.get(shopperKey(id, email)) : accounts.get(id))?.balance ?? Number.NaN
    },
    refunds: async (owner) =>
      transactionsOf(ledger, ownerId(owner))
        .filter(({ type }) => type === 'refund')
        .map(({ description }) => description),
    row: async (session) => {
      const row = state.rows.get(session)
      if (row === undefined) return null
      const { status = '', state: is = null, error_message, generated_image_url, seq, origin } = row
      const imageUrl = generated_image_url ?? null
      return { status, state: is, errorMessage: error_message ?? null, imageUrl, seq: seq || null, origin }
    },
    age: async (session, ms) => {
      const row = state.rows.get(session)
      if (row) row.createdAt = isoTime(Date.parse(row.createdAt) - ms)
    },
    damage: async (session) => {
      const row = state.rows.get(session)
      if (row) row.attempts = 99
    },
    dropRow: async (session) => {
      state.rows.delete(session)
    },
    dropBalance: async (owner) => {
      ledger.users.delete(ownerId(owner))
      ledger.stores.delete(ownerId(owner))
    },
    close: async () => {},
  }
}
