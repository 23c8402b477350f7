/**
 * What an operator may tell to wait: `all` tries, those of one tenant (`store:<id>`, `user:<id>`), or the carrying of tasks
 * from the producers' `list`.
 */
export type PauseScope = 'all' | 'list' | `store:${string}` | `user:${string}`

/** Who told what to wait, since when (ISO 8601, UTC) and why. */
export interface Pause {
  readonly scope: PauseScope
  readonly by: string
  readonly why: string
  readonly since: string
}

/** What the whole fleet is told to wait with. It outlives every process; each reads it again every few seconds. */
export interface Pauses {
  list(): Promise<Pause[]>
  /** Answers the pause that stands: one that stood before keeps who began it, when and why. */
  pause(pause: Pause): Promise<Pause>
  /** Ends a pause. Answers the one that stood, null when none did. */
  resume(scope: PauseScope): Promise<Pause | null>
}
