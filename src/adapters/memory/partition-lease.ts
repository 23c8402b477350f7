import type { SessionId } from '../../events/ids.ts'
import { type Commit, Fenced, type InboxMessage, type PartitionLease } from '../../machines/ports/event-log.ts'
import type { Snapshot, Tombstone } from '../../machines/snapshot.ts'
import type { HeldLease } from '../shared/kept-lease.ts'
import { owesWork } from '../shared/owes-work.ts'
import { untilKnown } from '../shared/until-known.ts'
import { applyCommit, type CommitChecks } from './commit.ts'
import { type MemoryPartition, type MemoryProcess, partitionIn, tell } from './log-state.ts'
import { readByAll } from './readers.ts'

/** One partition as its owner works it. */
export const memoryLease = (at: {
  readonly process: MemoryProcess
  readonly held: HeldLease<null>
  readonly checks: CommitChecks
  readonly tombstonesMax: number
  readonly lettersMax: number
}): PartitionLease => {
  const { process, held, checks, tombstonesMax, lettersMax } = at
  const { state, clock, call } = process
  // Looked up at every call: a test may have put an earlier state back.
  const kept = () => partitionIn(state, held.partition)
  let taken = kept().consumed
  held.acknowledge({ step: kept().head, inbox: String(taken) })
  return {
    partition: held.partition,
    epoch: held.epoch,
    head: kept().head,
    lost: held.lost,
    handover: held.handover,
    async *open() {
      yield* await call(async () => [...kept().snapshots.values()].filter(owesWork))
    },
    load: (ids) => call(async () => new Map(ids.flatMap((id) => found(kept(), id)))),
    forgottenUntil: () => kept().forgottenUntil,
    take: async (limit) => {
      held.assertHeld()
      const messages = await call(async () => nextMessages(kept(), taken, limit))
      taken = Number(messages.at(-1)?.position ?? taken)
      return messages
    },
    onArrival: (listener) => {
      const hear = (arrived: ReadonlySet<number>) => (arrived.has(held.partition) ? listener() : undefined)
      state.arrivals.add(hear)
      held.ended.addEventListener('abort', () => state.arrivals.delete(hear))
    },
    unread: () => call(async () => kept().inbox.length),
    commit: async (commit) => {
      await untilKnown(held, clock, () =>
        call(async () => {
          assertInboxIsWhereItWasLeft(kept(), held, commit)
          if (applyCommit(kept(), held.epoch, commit, checks, clock.now(), lettersMax)) tell(state.growth)
        }),
      )
      held.acknowledge(commit)
    },
    trim: async (archivedUpTo) => {
      held.assertHeld()
      const upTo = () => Math.min(archivedUpTo, readByAll(state, held.partition))
      await call(async () => trim(kept(), upTo(), tombstonesMax))
    },
    release: () => held.release(),
  }
}

/** A repeat of a commit whose acknowledgement was lost finds the inbox where that commit moved it. */
const assertInboxIsWhereItWasLeft = (kept: MemoryPartition, held: HeldLease<null>, { inbox }: Commit): void => {
  const left = [held.acknowledged.inbox, inbox].map((position) => Number(position ?? 0))
  if (!left.includes(kept.consumed)) throw new Fenced('the inbox is not where this lease left it')
}

const found = (kept: MemoryPartition, id: SessionId): [SessionId, Snapshot | Tombstone][] => {
  const snapshot = kept.snapshots.get(id)
  if (snapshot !== undefined) return [[id, snapshot]]
  const tombstone = kept.tombstones.get(id)
  return tombstone === undefined ? [] : [[id, { id, seq: tombstone.seq, end: tombstone.end }]]
}

const nextMessages = (
  kept: MemoryPartition,
  taken: number,
  limit: { messages: number; bytes: number },
): InboxMessage[] => {
  const first = kept.inbox.findIndex(({ number }) => number > taken)
  const messages: InboxMessage[] = []
  let bytes = 0
  for (let index = first; index >= 0 && messages.length < limit.messages && bytes < limit.bytes; index++) {
    const message = kept.inbox[index]
    if (message === undefined) break
    messages.push({ position: message.position, source: message.source, bytes: message.bytes })
    bytes += message.bytes.byteLength
  }
  return messages
}

const trim = (kept: MemoryPartition, readUpTo: number, tombstonesMax: number): void => {
  const firstKept = kept.steps.findIndex(({ number }) => number > readUpTo)
  kept.steps.splice(0, firstKept < 0 ? kept.steps.length : firstKept)
  const surplus = Math.max(kept.tombstones.size - tombstonesMax, 0)
  const firstAt = kept.steps[0]?.at
  const droppable = [...kept.tombstones.values()].slice(0, surplus)
  for (const { id, at } of droppable.filter((tombstone) => firstAt === undefined || tombstone.at < firstAt)) {
    kept.tombstones.delete(id)
    kept.forgottenUntil = Math.max(kept.forgottenUntil ?? 0, Date.parse(at))
  }
}
