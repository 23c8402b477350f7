import { isoTime } from '../../events/text.ts'
import type { Order, Producer } from '../../projections/producer.ts'
import { shopperHash } from './given-back.ts'
import type { MemoryLedger } from './ledger.ts'
import type { StoreState } from './store-state.ts'

/** What an account starts with, and buys when it has none left: a user's welcome bonus on the platform. */
const FIRST_CREDITS = 10

/** Plays the producer on the memory store. */
export const memoryProducer = (state: StoreState, ledger: MemoryLedger, now: () => number): Producer => ({
  order: async (order) => {
    const { owner, sessionId: id } = order
    charge(state, ledger, order)
    const ownerId = owner.channel === 'b2b' ? owner.storeId : owner.userId
    const requestId = owner.channel === 'b2b' ? order.requestId : null
    const shopperEmail = order.shopperEmail ?? null
    const createdAt = isoTime(now())
    const { channel } = owner
    state.rows.set(id, {
      id,
      channel,
      ownerId,
      requestId,
      shopperEmail,
      createdAt,
      seq: 0,
      origin: 'producer',
      status: 'queued',
    })
  },
})

const charge = (state: StoreState, ledger: MemoryLedger, order: Order): void => {
  const { owner, requestId, charge: how } = order
  const shopperEmail = order.shopperEmail?.trim().toLowerCase() ?? ''
  if (owner.channel === 'b2c') {
    ledger.fund('users', owner.userId, FIRST_CREDITS)
    if (how === 'account') paid(ledger.deductUser(owner.userId, 1))
    return
  }
  const { storeId } = owner
  ledger.fund('stores', storeId, FIRST_CREDITS)
  if (how === 'account') paid(ledger.deductStore(storeId, 1, requestId))
  if (how === 'overage') {
    ledger.write({ owner: storeId, amount: -1, type: 'overage', requestId, description: 'Overage' })
  }
  if (how === 'unknown') state.ledger.subscriptions.set(storeId, 'active')
  if (how === 'shopper' || how === 'shopper_hash') {
    ledger.fundShopper(storeId, shopperEmail, FIRST_CREDITS)
    const mark = how === 'shopper' ? `(shopper=${shopperEmail})` : `[shopper_hash=${shopperHash(shopperEmail)}]`
    paid(ledger.deductShopper(storeId, shopperEmail, 1, requestId, mark))
  }
}

const paid = (enough: boolean): void => {
  if (!enough) throw new Error('the account has no credits left')
}
