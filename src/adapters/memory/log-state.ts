import type { SessionId } from '../../events/ids.ts'
import type { OpenedLetter } from '../../machines/ports/dead-letters.ts'
import type { Clock } from '../../machines/ports/environment.ts'
import type { InboxMessage, Step, StepRef } from '../../machines/ports/event-log.ts'
import type { Snapshot, Tombstone } from '../../machines/snapshot.ts'

interface Waiting extends InboxMessage {
  /** `position` as a number. */
  readonly number: number
}

export interface MemoryLetter extends OpenedLetter {
  /** Where it last died. */
  readonly position: number
}

/** What the log keeps of one partition. */
export interface MemoryPartition {
  owner: string | null
  /** On the clock of whoever asks; in memory all have one. */
  expiresAt: number
  epoch: number
  token: string
  head: StepRef | null
  /** The last message that was published, and the last that was consumed. */
  published: number
  consumed: number
  readonly inbox: Waiting[]
  readonly steps: Step[]
  readonly snapshots: Map<SessionId, Snapshot>
  /** Oldest first. */
  readonly tombstones: Map<SessionId, Tombstone & { readonly at: string }>
  forgottenUntil: number | null
  readonly letters: Map<string, MemoryLetter>
  lettersDropped: number
}

/** What outlives every process: plain data, so that `structuredClone` keeps a moment of it. */
export interface MemoryLogData {
  readonly identity: string
  readonly partitions: readonly MemoryPartition[]
  /** Live and draining members in the order in which they came. */
  readonly members: Map<string, { readonly expiresAt: number; readonly joins: boolean }>
  /** How far each registered reader has read each partition. */
  readonly readers: Map<string, Map<number, number>>
}

type Listener = () => void

/** The log itself, beside the processes that open it. A test puts an earlier copy of `data` back to cut the log's tail. */
export interface MemoryLogState {
  data: MemoryLogData
  /** Who wants to hear of what: not part of the log, as a connection is not. */
  readonly arrivals: Set<(partitions: ReadonlySet<number>) => void>
  readonly growth: Set<Listener>
  readonly leaseChanges: Set<Listener>
}

/** One process that has the log open. */
export interface MemoryProcess {
  readonly state: MemoryLogState
  readonly clock: Clock
  readonly newId: () => string
  /** How its calls reach the log, and their answers come back. */
  readonly call: <Value>(operation: () => Promise<Value>) => Promise<Value>
}

export const memoryLogState = (partitions: number, identity: string): MemoryLogState => ({
  data: {
    identity,
    partitions: Array.from({ length: partitions }, emptyPartition),
    members: new Map(),
    readers: new Map(),
  },
  arrivals: new Set(),
  growth: new Set(),
  leaseChanges: new Set(),
})

const emptyPartition = (): MemoryPartition => ({
  owner: null,
  expiresAt: 0,
  epoch: 0,
  token: '',
  head: null,
  published: 0,
  consumed: 0,
  inbox: [],
  steps: [],
  snapshots: new Map(),
  tombstones: new Map(),
  forgottenUntil: null,
  letters: new Map(),
  lettersDropped: 0,
})

/** @throws RangeError for a partition that the log does not have. */
export const partitionIn = (state: MemoryLogState, partition: number): MemoryPartition => {
  const found = state.data.partitions[partition]
  if (found === undefined) throw new RangeError(`there is no partition ${partition}`)
  return found
}

/** Calls back after the current step of whoever caused it, as news from a server would come. */
export const tell = (listeners: ReadonlySet<Listener>): void => {
  for (const listener of listeners) queueMicrotask(listener)
}
