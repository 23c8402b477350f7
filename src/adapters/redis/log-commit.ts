import type { SessionId } from '../../events/ids.ts'
import { isoTime } from '../../events/text.ts'
import type { StateName } from '../../machines/compile.ts'
import { type Commit, type Epoch, FORMAT } from '../../machines/ports/event-log.ts'
import type { SessionContext } from '../../machines/session.ts'
import type { Snapshot, Tombstone } from '../../machines/snapshot.ts'
import { refuseNewer } from '../shared/format.ts'
import type { Argument } from './connection.ts'
import { burialArguments } from './letters.ts'
import type { PartitionCall } from './partition-calls.ts'

/** A commit as it travels: see `commit.lua`. */
export interface EncodedCommit extends PartitionCall {
  /** About its size, in characters. */
  readonly weight: number
}

/**
 * `left` is where this lease left the inbox; `now` dates tombstones of a commit without a step; a partition keeps
 * `lettersMax` dead letters.
 */
export const encodeCommit = (
  { partition, epoch }: { readonly partition: number; readonly epoch: Epoch },
  commit: Commit,
  left: string,
  now: number,
  lettersMax: number,
): EncodedCommit => {
  const { step, tombstones } = commit
  // A session that closes has no snapshot any more.
  const closed = new Set(tombstones.map(({ id }) => id))
  const snapshots = closed.size === 0 ? commit.snapshots : commit.snapshots.filter(({ id }) => !closed.has(id))
  const closedAt = step?.at ?? isoTime(now)
  const text = step === null ? '' : JSON.stringify(step)
  const sessions: (string | Buffer)[] = []
  for (const snapshot of snapshots) sessions.push(snapshot.id, JSON.stringify({ format: FORMAT, ...snapshot }))
  for (const { id } of tombstones) sessions.push(id)
  for (const { seq, end } of tombstones) sessions.push(tombstoneText(seq, end, closedAt))
  for (const burial of commit.deadLetters) sessions.push(...burialArguments(burial))
  const args: Argument[] = [
    epoch.number,
    epoch.token,
    commit.head ?? '',
    step?.number ?? '',
    step?.id ?? '',
    step?.facts.length ?? 0,
    text,
    left,
    commit.inbox ?? '',
    closedAt,
    snapshots.length,
    tombstones.length,
    commit.deadLetters.length,
    ...(commit.deadLetters.length > 0 ? [lettersMax] : []),
    ...sessions,
  ]
  return { partition, args, weight: sessions.reduce((sum, one) => sum + one.length, text.length) }
}

const tombstoneText = (seq: number, end: StateName, at: string): string =>
  JSON.stringify({ format: FORMAT, seq, end, at })

type KeptSession = { readonly format: number; readonly seq: number } & (
  | { readonly state: StateName; readonly context: SessionContext }
  | { readonly end: StateName }
)

/** @throws for a session that a newer program wrote. */
export const parseSession = (id: SessionId, text: string): Snapshot | Tombstone => {
  const kept = JSON.parse(text) as KeptSession
  refuseNewer(kept.format, `session ${id}`)
  const { seq } = kept
  return 'end' in kept ? { id, seq, end: kept.end } : { id, seq, state: kept.state, context: kept.context }
}
