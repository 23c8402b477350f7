import type { LogDamage } from './admission.ts'

/** Where a partition stands that this process holds the lease of. */
export interface PartitionStatus {
  readonly partition: number
  readonly state: 'starting' | 'running' | 'damaged'
  readonly damage: LogDamage | null
  /** When it began the step that it is in, ms since the epoch; null between two. */
  readonly steppingSince: number | null
}
