import type { Fact } from '../../events/fact.ts'
import type { SessionId } from '../../events/ids.ts'
import type { Epoch, Step, StepRef } from './event-log.ts'

/** What the archive last recorded of a partition, and whether this epoch may go on from there. */
export type Admission =
  | { readonly admitted: true; readonly archived: StepRef | null }
  | { readonly admitted: false; readonly reason: 'log_replaced' | 'epoch_went_back'; readonly archived: StepRef | null }

/** The sessions with higher ids than `after`, null: from the first one. Fewer than `limit` are the last. */
export interface SessionsPage {
  readonly after: SessionId | null
  readonly limit: number
}

/** What outlives the log: the archive of every fact, and the fence that keeps an earlier owner's late refunds out. */
export interface History {
  /**
   * Fences ledger and archive for a new owner: from now on a refund under an earlier epoch of the partition is refused, and so
   * is a step of an earlier epoch behind `head`, the number of the journal's last step at the grant (0: none): the log has lost
   * it, and whoever archives it read it before. Refuses an epoch that is not later than the last one, and a log that is not the
   * one the archive was written from.
   */
  admit(claim: { log: string; partition: number; epoch: Epoch; head: number }): Promise<Admission>
  /** Which of these sessions the archive knows. */
  knows(ids: readonly SessionId[]): Promise<Set<SessionId>>
  /** The last step that the archive has of a partition. */
  head(partition: number): Promise<StepRef | null>
  /** The archive's step with this number, if there is one. */
  step(partition: number, number: number): Promise<StepRef | null>
  /** The sessions with a fact in the steps after `number`, each with all its archived facts: a page of them, by their ids. */
  sessionsAfter(partition: number, number: number, page: SessionsPage): Promise<Map<SessionId, Fact[]>>
  /** Ends a repair. Repeating it changes nothing. `moved`: the archive is not what the repair judged by; nothing was done. */
  mend(claim: { log: string; partition: number; epoch: Epoch }, mending: Mending): Promise<'mended' | 'moved'>
}

/** What a repair makes of a partition in the archive. */
export interface Mending {
  /** The archive's last step of the partition, as the repair knew it. */
  readonly archived: StepRef | null
  /** Their facts go into the archive, as far as it has not got them. */
  readonly steps: readonly Step[]
  /** The partition's last step from now on, in the claim's log and epoch. */
  readonly head: StepRef
}
