import { isoTime } from '../../events/text.ts'
import { type Commit, type Epoch, Fenced, type StepRef } from '../../machines/ports/event-log.ts'
import { bury } from './letters.ts'
import type { MemoryPartition } from './log-state.ts'

/** What a commit must pass; each can be left out by a test that wants to see a fault caught. */
export interface CommitChecks {
  /** Is the lease that commits still the one that the log knows? */
  readonly epoch: (kept: Epoch, given: Epoch) => boolean
  /** Does the commit follow the journal's head? Its number may leave some out: a repair counts on from what was lost. */
  readonly predecessor: (head: StepRef | null, commit: Pick<Commit, 'head' | 'step'>) => boolean
}

export const commitChecks: CommitChecks = {
  epoch: (kept, given) => kept.number === given.number && kept.token === given.token,
  predecessor: (head, commit) =>
    commit.head === (head?.id ?? null) && (commit.step === null || commit.step.number > (head?.number ?? 0)),
}

/** Applies a commit, all of it or nothing; answers whether the journal grew. @throws Fenced */
export const applyCommit = (
  partition: MemoryPartition,
  epoch: Epoch,
  commit: Commit,
  checks: CommitChecks,
  now: number,
  lettersMax: number,
): boolean => {
  const { step } = commit
  if (!checks.epoch({ number: partition.epoch, token: partition.token }, epoch))
    throw new Fenced('the partition has another owner')
  if (step !== null && partition.head?.id === step.id) return false
  if (!checks.predecessor(partition.head, commit)) throw new Fenced(`the journal's head is not ${commit.head}`)
  // Its messages are not there: the log lost its tail since they were taken, and will give their positions to others.
  if (Number(commit.inbox ?? 0) > partition.published) throw new Fenced('the inbox went back')
  if (step !== null) {
    partition.steps.push(step)
    partition.head = { number: step.number, id: step.id }
  }
  keepSessions(partition, commit, step?.at ?? isoTime(now))
  bury(partition, commit.deadLetters, lettersMax)
  if (commit.inbox !== null) consume(partition, Number(commit.inbox))
  return step !== null
}

const keepSessions = (partition: MemoryPartition, commit: Commit, at: string): void => {
  for (const snapshot of commit.snapshots) {
    partition.snapshots.set(snapshot.id, snapshot)
    partition.tombstones.delete(snapshot.id)
  }
  for (const tombstone of commit.tombstones) {
    partition.snapshots.delete(tombstone.id)
    partition.tombstones.set(tombstone.id, { ...tombstone, at })
  }
}

const consume = (partition: MemoryPartition, position: number): void => {
  partition.consumed = Math.max(partition.consumed, position)
  const waiting = partition.inbox.findIndex(({ number }) => number > position)
  partition.inbox.splice(0, waiting < 0 ? partition.inbox.length : waiting)
}
