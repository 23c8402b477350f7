import type { Fact } from '../events/fact.ts'
import type { Owner } from '../events/owner.ts'

/** How long personal data lives in what is ours. */
export interface Erasure {
  /** Takes signatures of results whose URL has expired out of the archive. Answers how many. */
  forgetExpired(limit: number): Promise<number>
  /** The facts of some closed sessions of an owner that are not erased yet, and how many of its sessions are not closed. */
  erasable(owner: Owner, limit: number): Promise<{ readonly open: number; readonly sessions: readonly Fact[][] }>
  /** Puts erased facts in the place of the same sessions' others, and blanks the rows that were made of those. */
  erase(facts: readonly Fact[]): Promise<void>
  /** Keeps who asked for it, for which owner, and how many sessions it was. */
  note(owner: Owner, by: string, sessions: number): Promise<void>
}
