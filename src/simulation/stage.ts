import type { SessionId } from '../events/ids.ts'
import type { Evidence } from '../projections/evidence.ts'
import type { PlannedSession } from './scenario.ts'
import type { Scheduler } from './scheduler.ts'
import type { World } from './world.ts'

/** What all who play in a run share. */
export interface Stage {
  readonly scheduler: Scheduler
  readonly world: World
  readonly planned: ReadonlyMap<SessionId, PlannedSession>
  /** Sessions whose publication was acknowledged. */
  readonly accepted: Set<SessionId>
  /** B2c sessions whose push the platform failed, in order: its refund names no session. */
  readonly failedPushes: Map<string, SessionId[]>
  readonly readings: Evidence['readings'][number][]
  pushesLeft: number
  /** When the run began, ms since the epoch. */
  readonly startedAt: number
  /** When all tries were paused, and until when. */
  readonly pauses: { from: number; until: number }[]
  /** When the log lost its tail, if it did. */
  lostAt: number
}

/** Things break this long; then the world is calm, and everything must come to its end. */
export const CHAOS_MS = 240_000

export const requestOf = ({ id }: PlannedSession): string => `req_${id}`
