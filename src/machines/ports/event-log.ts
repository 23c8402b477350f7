import type { Fact } from '../../events/fact.ts'
import type { SessionId } from '../../events/ids.ts'
import type { TaskSource } from '../../events/task.ts'
import type { Snapshot, Tombstone } from '../snapshot.ts'
import type { Burial, DeadLetters } from './dead-letters.ts'
import type { JournalReaders } from './journal-readers.ts'

/** The number that steps and snapshots carry. Whoever meets a higher one stops and says so: it is too old to read them. */
export const FORMAT = 1

/** Names one step of a partition: its number, counted from 1 (only a repair leaves some out), and its own random id. */
export interface StepRef {
  readonly number: number
  readonly id: string
}

/** One atomic move of a partition: the facts of a batch, in order. Steps form a chain by `previous`. */
export interface Step extends StepRef {
  readonly format: number
  readonly partition: number
  /** The id of the step before, or null for the first of the log. */
  readonly previous: string | null
  readonly epoch: number
  /** ISO 8601, UTC. */
  readonly at: string
  /** In order. Only the step that a repair goes on from has none. */
  readonly facts: readonly Fact[]
}

export interface InboxMessage {
  /** Opaque to all but the log. */
  readonly position: string
  readonly source: TaskSource
  readonly bytes: Uint8Array
}

/** Everything that becomes durable at once. */
export interface Commit {
  /**
   * The id of the journal's head as the owner knows it, null for an empty one; a step's `previous`. Also a commit without a
   * step is refused when it is another one: what the owner judged by was not what the log holds.
   */
  readonly head: string | null
  /** The step to append, or null when nothing happened but the inbox position moves, letters die or a repair restores sessions. */
  readonly step: Step | null
  /**
   * The inbox is read up to and with this position; null leaves it where it is. A commit is refused when the inbox does not
   * stand where this lease left it: the log went back, and messages that the owner has behind it are to be read again.
   */
  readonly inbox: string | null
  readonly snapshots: readonly Snapshot[]
  /** Sessions that closed in this step: each replaces its snapshot. */
  readonly tombstones: readonly Tombstone[]
  readonly deadLetters: readonly Burial[]
}

/** The ownership's fencing epoch: a number that only grows, and a random token that tells two grants of one number apart. */
export interface Epoch {
  readonly number: number
  readonly token: string
}

/** The commit was refused because another process owns the partition by now, or the journal's head is not what it was. */
export class Fenced extends Error {
  override readonly name = 'Fenced'
}

/** The log was created with another number of partitions, and keeps it for good. */
export class WrongPartitionCount extends Error {
  override readonly name = 'WrongPartitionCount'
  readonly actual: number

  constructor(actual: number, asked: number) {
    super(`the log has ${actual} partitions for good, not ${asked}: set PARTITIONS=${actual}`)
    this.actual = actual
  }
}

/** The right to move one partition, as long as `lost` has not fired. */
export interface PartitionLease {
  readonly partition: number
  readonly epoch: Epoch
  /** The journal's head when the lease was granted. */
  readonly head: StepRef | null
  /** Fires when the partition is someone else's, or may be: stop at once, whatever is running. */
  readonly lost: AbortSignal
  /** Fires when the partition should go to another process: finish what runs, then `release()`. */
  readonly handover: AbortSignal
  /** The sessions that owe work, as last committed, in no order. */
  open(): AsyncIterable<Snapshot>
  /** What is known of these sessions. A session that is missing in the answer is unknown, or closed long ago (`forgotten`). */
  load(ids: readonly SessionId[]): Promise<Map<SessionId, Snapshot | Tombstone>>
  /** When the youngest tombstone that was dropped was written (ms since the epoch); null when none ever was. */
  forgottenUntil(): number | null
  /** The next messages behind those taken before, oldest first: at most `messages`, and no more once `bytes` is passed. */
  take(limit: { readonly messages: number; readonly bytes: number }): Promise<InboxMessage[]>
  /** Calls back when there may be something to take, at the latest some seconds after it was published. */
  onArrival(listener: () => void): void
  /** Messages of the inbox that no commit has behind it, those that were taken meanwhile among them. */
  unread(): Promise<number>
  /**
   * Makes the commit durable, all of it or nothing. Repeats by itself what may be repeated; a repeat of a commit whose
   * acknowledgement was lost changes nothing. @throws Fenced; any other error leaves the outcome unknown: give the lease up.
   */
  commit(commit: Commit): Promise<void>
  /**
   * Drops steps up to a number that the archive has behind it, but none that a registered reader has not; and tombstones
   * beyond the bound, oldest first: only those that closed in dropped steps, because for a forgotten session the archive is
   * asked.
   */
  trim(archivedUpTo: number): Promise<void>
  release(): Promise<void>
}

export interface Owner {
  /** Unique per process life. */
  readonly id: string
  /** Works a partition until the lease is lost or released; called once per grant. Must not reject. */
  onLease(lease: PartitionLease): Promise<void>
}

/** The durable, partitioned log: an inbox and a journal per partition, and the ownership of partitions. */
export interface EventLog {
  readonly partitions: number
  /** The log's own random identity, made when it was created. A different one means a different log. */
  identity(): Promise<string>
  /** Resolves once the messages are durable. May be repeated: a duplicate is dropped by the session's machine. */
  publish(messages: readonly { partition: number; bytes: Uint8Array; source: TaskSource }[]): Promise<void>
  /** Takes a fair share of the partitions until the signal aborts, then hands all of them over. Rejects when it cannot go on. */
  own(owner: Owner, signal: AbortSignal): Promise<void>
  /** Steps behind the given number of each partition that is named, in order per partition, about `limit` facts in all. */
  journal(after: ReadonlyMap<number, number>, limit: number): Promise<Step[]>
  /** Calls back when journals may have grown, at the latest some seconds after they did. */
  onGrowth(listener: () => void): () => void
  readonly readers: JournalReaders
  readonly letters: DeadLetters
  close(): Promise<void>
}
