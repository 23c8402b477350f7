import { isoTime } from '../../events/text.ts'
import { type Commit, type Epoch, FORMAT } from '../../machines/ports/event-log.ts'
import { owesWork } from '../shared/owes-work.ts'
import { letterRow } from './letters.ts'
import type { EncodedCommit } from './log-calls.ts'

/** A commit as `wearon.log_commit` reads it. `now` dates tombstones of a commit without a step. */
export const encodeCommit = (
  partition: number,
  epoch: Epoch,
  commit: Commit,
  /** Where this lease left the inbox. */
  left: number,
  now: number,
): EncodedCommit => {
  const { step, inbox, deadLetters } = commit
  const json = JSON.stringify({
    partition,
    epoch: epoch.number,
    token: epoch.token,
    head: commit.head,
    ...(step && {
      number: step.number,
      id: step.id,
      previous: step.previous,
      format: step.format,
      at: step.at,
      fact_count: step.facts.length,
      facts: step.facts,
    }),
    left,
    consumed: inbox === null ? null : Number(inbox),
    sessions: sessionRows(commit, step?.at ?? isoTime(now)),
    letters: deadLetters.map(letterRow),
  })
  return { partition, json, buries: deadLetters.length > 0 }
}

/** One row per session: a tombstone stands in place of a snapshot. */
const sessionRows = ({ snapshots, tombstones }: Commit, at: string): unknown[] => {
  const rows = new Map<string, unknown>()
  for (const snapshot of snapshots) rows.set(snapshot.id, { ...snapshot, format: FORMAT, owes: owesWork(snapshot) })
  for (const { id, seq, end } of tombstones) {
    rows.set(id, { id, seq, state: end, format: FORMAT, owes: false, closed_at: at })
  }
  return [...rows.values()]
}
