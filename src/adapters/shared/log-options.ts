import type { Clock } from '../../machines/ports/environment.ts'

/** What every log is opened with, wherever it lies. */
export interface LogOptions {
  /** Fixed when the log is created. */
  readonly partitions: number
  /** Must never go back. */
  readonly clock: Clock
  readonly newId: () => string
  /** Hears of failures that are tried again. */
  readonly onError?: (error: unknown) => void
  /** A silent process loses its partitions after this time. */
  readonly leaseTtlMs?: number
  /** How long a shutdown waits for the work on leases to end. */
  readonly drainMs?: number
  /** How many closed sessions a partition remembers. */
  readonly tombstonesMax?: number
  /** How many dead letters a partition keeps. */
  readonly lettersMax?: number
}

/** Longer than the effects' own grace period, which ends first. */
export const DRAIN_MS = 120_000

/** Closed sessions: a million over 64 partitions. */
export const TOMBSTONES_MAX = 20_000

/** @throws RangeError for a message to a partition that the log does not have. */
export const refuseUnknown = (messages: readonly { readonly partition: number }[], partitions: number): void => {
  const stray = messages.find(({ partition }) => !(partition >= 0 && partition < partitions))
  if (stray !== undefined) throw new RangeError(`there is no partition ${stray.partition}`)
}
