import type { SessionId } from '../events/ids.ts'
import type { Owner } from '../events/owner.ts'

/** Who pays, and how the charge is written down. `shopper_hash` is the platform's older way of naming a shopper. */
export type Charge = 'account' | 'shopper' | 'shopper_hash' | 'overage' | 'unknown' | 'nobody'

/** What the platform's producer does before it pushes a task. `account`: the user's or the store's own credits. */
export interface Order {
  readonly sessionId: SessionId
  readonly owner: Owner
  readonly requestId: string
  readonly imageUrls: readonly string[]
  readonly prompt: string
  readonly charge: Charge
  readonly shopperEmail?: string
}

/** Plays the producer, for the demo, `publish --charge` and tests: one transaction per order, the account made when missing. */
export interface Producer {
  order(order: Order): Promise<void>
}
