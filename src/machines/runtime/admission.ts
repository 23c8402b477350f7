import type { PartitionLease, StepRef } from '../ports/event-log.ts'
import type { WorkerContext } from './worker-context.ts'

/** Why a partition may not go on: its log is not the one that the archive knows. One command repairs it (`repair.ts`). */
export type LogDamage = 'log_replaced' | 'epoch_went_back' | 'log_lost_its_tail'

export interface Admitted {
  readonly damage: LogDamage | null
  /** The last step that the archive has of this partition. */
  readonly archived: StepRef | null
}

/**
 * Asked once per grant, before anything is read or started: fences the ledger against earlier owners, and compares the
 * journal with what the archive last recorded of it.
 */
export const admit = async (lease: PartitionLease, { log, history }: WorkerContext): Promise<Admitted> => {
  const head = lease.head?.number ?? 0
  const claim = { log: await log.identity(), partition: lease.partition, epoch: lease.epoch, head }
  const admission = await history.admit(claim)
  const { archived } = admission
  if (!admission.admitted) return { damage: admission.reason, archived }
  const whole = archived === null || (await continues(lease, archived, log))
  return { damage: whole ? null : 'log_lost_its_tail', archived }
}

/** Whether the journal still holds the archive's last step, or the one right behind it. */
const continues = async (lease: PartitionLease, archived: StepRef, log: WorkerContext['log']): Promise<boolean> => {
  if (lease.head === null || lease.head.number < archived.number) return false
  if (lease.head.number === archived.number) return lease.head.id === archived.id
  const [next] = await log.journal(new Map([[lease.partition, archived.number]]), 1)
  return next?.previous === archived.id
}
