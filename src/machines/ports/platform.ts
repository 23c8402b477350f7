import type { FactOf } from '../../events/fact.ts'
import type { Withdrawal } from '../../events/generation.ts'
import type { SessionId } from '../../events/ids.ts'
import type { Settlement } from '../../events/refund.ts'

/** Whether the platform still wants a session generated: asked before each try. */
export type Wanted =
  | { readonly wanted: true }
  | { readonly wanted: false; readonly why: Withdrawal; readonly detail: string }

/** What became of a refund that was asked for. `refused`: an earlier owner's call, nothing changed and nothing is to be done. */
export type RefundOutcome =
  | { readonly kind: 'issued'; readonly data: FactOf<'refund.issued'>['data'] }
  | { readonly kind: 'waived'; readonly data: FactOf<'refund.waived'>['data'] }
  | { readonly kind: 'settled'; readonly data: FactOf<'refund.settled'>['data'] }
  | { readonly kind: 'refused'; readonly detail: string }
  | { readonly kind: 'error'; readonly detail: string }

/** The partition and epoch under which a call is made: one under an epoch that is not the last admitted one is refused. */
export interface Fence {
  readonly partition: number
  readonly epoch: number
}

/** The platform's session rows and credit ledger, as far as the runtime asks and pays. */
export interface Platform {
  look(session: SessionId): Promise<Wanted>
  /**
   * Gives the session's credit back at most once, whatever crashes when and whoever else did it: repeating a call finds the
   * record of the first. Rejects only when the outcome is unknown (connection, timeout): call again.
   */
  refund(session: SessionId, fence: Fence): Promise<RefundOutcome>
  /**
   * Notes in the place of a payment that the refund was settled by hand, unless it is decided already or the ledger shows
   * that the credit was given back: then that is answered. Otherwise like `refund`.
   */
  settle(session: SessionId, settlement: Settlement, fence: Fence): Promise<RefundOutcome>
}
