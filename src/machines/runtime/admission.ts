import type { PartitionLease, StepRef } from '../ports/event-log.ts'
import type { WorkerContext } from './worker-context.ts'

/** Why a partition may not go on: its log is not the one that the archive knows. One command repairs it (`repair.ts`). */
export type LogDamage = 'log_replaced' | 'epoch_went_back' | 'log_lost_its_tail' | 'repair_unfinished'

export interface Admitted {
  readonly damage: LogDamage | null
  /** The last step that the archive has of this partition. */
  readonly archived: StepRef | null
}

/**
 * Asked once per grant, before anything is read or started: fences the ledger against earlier owners, and compares the
 * journal with what the archive last recorded of it.
 */
export const admit = async (
  lease: PartitionLease,
  { log, history }: Pick<WorkerContext, 'log' | 'history'>,
): Promise<Admitted> => {
  const head = lease.head?.number ?? 0
  const claim = { log: await log.identity(), partition: lease.partition, epoch: lease.epoch, head }
  const admission = await history.admit(claim)
  const { archived } = admission
  if (!admission.admitted) return { damage: admission.reason, archived }
  return { damage: await damageOf(lease, archived, log), archived }
}

/** The journal must hold the archive's last step, or the one right behind it; and behind it no step of a repair that broke off. */
const damageOf = async (
  { partition, head }: PartitionLease,
  archived: StepRef | null,
  log: WorkerContext['log'],
): Promise<LogDamage | null> => {
  const number = archived?.number ?? 0
  if (head === null || head.number <= number) return head?.id === archived?.id ? null : 'log_lost_its_tail'
  const [next] = await log.journal(new Map([[partition, number]]), 1)
  if (next?.facts.length === 0) return 'repair_unfinished'
  return archived === null || next?.previous === archived.id ? null : 'log_lost_its_tail'
}
