import type { SessionId } from '../../events/ids.ts'
import type { Settlement } from '../../events/refund.ts'
import type { SessionTable } from '../compile.ts'
import type { GenerationOutcome } from '../effects/outcome.ts'
import type { Policy } from '../policy.ts'
import type { Environment } from '../ports/environment.ts'
import type { EventLog } from '../ports/event-log.ts'
import type { History } from '../ports/history.ts'
import type { Fence, RefundOutcome } from '../ports/platform.ts'
import type { Snapshot } from '../snapshot.ts'
import type { EffectPool } from './effect-pool.ts'

/** The work that sessions owe, done. */
export interface Effects {
  /** One try. Rejects only for what no code names. */
  generate(session: Snapshot, signal: AbortSignal): Promise<GenerationOutcome>
  /**
   * @param settlement what an operator wants noted in the place of a payment.
   * @param traceparent of a session that is traced.
   */
  refund(
    session: SessionId,
    settlement: Settlement | null,
    fence: Fence,
    signal: AbortSignal,
    traceparent?: string,
  ): Promise<RefundOutcome>
}

/** What all partition owners of a process share. */
export interface WorkerContext {
  readonly env: Environment
  readonly table: SessionTable
  readonly policy: Policy
  readonly log: EventLog
  readonly history: History
  readonly effects: Effects
  readonly generations: EffectPool
  readonly refunds: EffectPool
  /** How long a partition that must go may let its running effects finish, in ms. */
  readonly drainMs: number
}
