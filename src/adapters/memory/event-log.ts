import type { EventLog, Step } from '../../machines/ports/event-log.ts'
import { LETTERS_MAX } from '../shared/dead-letters.ts'
import { fairPage } from '../shared/fair-page.ts'
import type { HeldLease } from '../shared/kept-lease.ts'
import { keepLeases } from '../shared/lease-keeper.ts'
import { type LogOptions, TOMBSTONES_MAX } from '../shared/log-options.ts'
import { type CommitChecks, commitChecks } from './commit.ts'
import { memoryLeaseTable } from './lease-table.ts'
import { memoryLetters } from './letters.ts'
import { type MemoryLogState, type MemoryProcess, memoryLogState, partitionIn, tell } from './log-state.ts'
import { memoryLease } from './partition-lease.ts'
import { journalReaders } from './readers.ts'

const LEASE_TTL_MS = 5_000
const DRAIN_MS = 60_000

export interface MemoryLogOptions extends Omit<LogOptions, 'onError'> {
  /** The log itself, when several processes of a test share it or it outlives one. */
  readonly state?: MemoryLogState
  /** How calls of this process reach the log. A simulation loses calls, answers and processes here. */
  readonly call?: MemoryProcess['call']
  /** What a commit must pass. A test leaves one check out, to see that this is noticed. */
  readonly checks?: CommitChecks
}

/**
 * The event log in memory, for tests and the simulation. Every change happens in one go, with no await inside: a wrapper can
 * let a process die before or after it, but not in between. @throws Error when the log has another number of partitions.
 */
export const memoryLog = (options: MemoryLogOptions): EventLog => {
  const { clock, newId, partitions, leaseTtlMs: ttlMs = LEASE_TTL_MS, drainMs = DRAIN_MS } = options
  const { state = memoryLogState(partitions, newId()), call = direct } = options
  const { checks = commitChecks, tombstonesMax = TOMBSTONES_MAX, lettersMax = LETTERS_MAX } = options
  if (state.data.partitions.length !== partitions) {
    throw new Error(`this log has ${state.data.partitions.length} partitions for good, not ${partitions}`)
  }
  const process: MemoryProcess = { state, clock, newId, call }
  const table = memoryLeaseTable(process)
  return {
    partitions,
    identity: () => call(async () => state.data.identity),
    publish: (messages) => call(async () => publish(state, messages, clock.now())),
    own: (owner, signal) => {
      const work = (held: HeldLease<null>) =>
        owner.onLease(memoryLease({ process, held, checks, tombstonesMax, lettersMax }))
      return keepLeases({ table, member: owner.id, clock, ttlMs, drainMs, work, onError: () => undefined }, signal)
    },
    journal: (after, limit) => call(async () => stepsAfter(state, after, limit)),
    onGrowth: (listener) => {
      state.growth.add(listener)
      return () => state.growth.delete(listener)
    },
    readers: journalReaders(process),
    letters: memoryLetters(state, call),
    close: async () => undefined,
  }
}

const direct: MemoryProcess['call'] = (operation) => operation()

type Messages = Parameters<EventLog['publish']>[0]

const publish = (state: MemoryLogState, messages: Messages, nowMs: number): void => {
  // All or nothing: a partition that does not exist is found before the first message is in.
  for (const { partition } of messages) partitionIn(state, partition)
  for (const { partition, source, bytes } of messages) {
    const kept = partitionIn(state, partition)
    // A log that lost its tail gives no position a second time: whoever took what is gone must not move behind what is new.
    const number = Math.max(kept.published + 1, Math.ceil(nowMs))
    kept.published = number
    kept.inbox.push({ number, position: String(number), source, bytes })
  }
  const arrived = new Set(messages.map(({ partition }) => partition))
  tell(new Set([...state.arrivals].map((listener) => () => listener(arrived))))
}

const stepsAfter = (state: MemoryLogState, after: ReadonlyMap<number, number>, limit: number): Step[] => {
  const behind = [...after].map(([partition, number]) => {
    const { steps } = partitionIn(state, partition)
    return steps.slice(firstBehind(steps, number))
  })
  return fairPage(behind, ({ facts }) => facts.length, limit).flat()
}

/** From the end, because readers are mostly near it. */
const firstBehind = (steps: readonly Step[], number: number): number => {
  let index = steps.length
  while (index > 0 && (steps[index - 1]?.number ?? 0) > number) index--
  return index
}

export type { CommitChecks, MemoryLogState }
export { commitChecks, memoryLogState }
