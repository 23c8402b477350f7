import type { LogDamage } from './admission.ts'

/** How much of a partition waits that this process holds the lease of. */
export interface PartitionBacklog {
  readonly partition: number
  /** Messages of its inbox that no commit has behind it; null when the log does not say. */
  readonly unread: number | null
  /** The number of its journal's last step, 0 for none. */
  readonly head: number
}

/** Where a partition stands that this process holds the lease of. */
export interface PartitionStatus {
  readonly partition: number
  readonly state: 'starting' | 'running' | 'damaged'
  readonly damage: LogDamage | null
  /** When it began the step that it is in, ms since the epoch; null between two. */
  readonly steppingSince: number | null
}
