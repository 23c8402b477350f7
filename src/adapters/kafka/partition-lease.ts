import { isoTime } from '../../events/text.ts'
import { type Commit, Fenced, type PartitionLease } from '../../machines/ports/event-log.ts'
import type { HeldLease } from '../shared/kept-lease.ts'
import { untilKnown } from '../shared/until-known.ts'
import type { InboxPlace } from './anchors.ts'
import { tellPassing } from './errors.ts'
import { type Inbox, openInbox, placeOf } from './inbox.ts'
import { JournalWriter } from './journal-writer.ts'
import type { LeaseStart } from './lease-table.ts'
import { burialOf } from './letters.ts'
import type { LogContext } from './log-context.ts'
import { isParcelsFault } from './outbox.ts'
import { PartitionState } from './partition-state.ts'
import type { Bodies } from './records.ts'
import type { Bounds } from './wire.ts'

/**
 * Reads the journal up to the lease's claim, again and again while the brokers are away and the lease lasts.
 * @throws Fenced when somebody claimed after it, or at the same time and won, or when it ended.
 */
export const openKafkaLease = (held: HeldLease<LeaseStart>, context: LogContext): Promise<PartitionLease> =>
  untilKnown(held, context.clock, () => tryToOpen(held, context), tellPassing(context.onError))

const tryToOpen = async (held: HeldLease<LeaseStart>, context: LogContext): Promise<PartitionLease> => {
  const { partition, epoch, start } = held
  const state = new PartitionState()
  for await (const record of context.journal.records(partition, null, start.claim)) state.apply(record)
  if (state.reached?.epoch !== epoch.number || state.reached.token !== epoch.token)
    throw new Fenced(`the claim on partition ${partition} does not count`)
  const writer = new JournalWriter(held, context, state)
  const inbox = await openInbox({ ...context, held, topic: context.topics.inbox }, state.inbox)
  context.anchors.watch(epoch.token, held.ended, () => [writer.anchor, ...inbox.anchors()])
  return leaseOn(writer, inbox, held, context, state)
}

const leaseOn = (
  writer: JournalWriter,
  inbox: Inbox,
  held: HeldLease<LeaseStart>,
  context: LogContext,
  state: PartitionState,
): PartitionLease => {
  const { topics, outbox, clock } = context
  const { partition } = held
  return {
    partition,
    epoch: held.epoch,
    head: state.head,
    lost: held.lost,
    handover: held.handover,
    async *open() {
      yield* state.open()
    },
    load: async (ids) =>
      new Map(
        ids.flatMap((id) => {
          const found = state.find(id)
          return found === null ? [] : [[id, found]]
        }),
      ),
    forgottenUntil: () => state.forgottenUntil,
    take: (limit) => inbox.take(limit),
    onArrival: (listener) => inbox.onArrival(listener),
    unread: async () => unreadIn(await context.inboxBounds(partition), state.inbox),
    commit: (commit) =>
      writer.oneByOne(async () => {
        if (!follows(held, state, commit)) return
        // Letters first: one too early is found again under its id, one too late would be lost.
        const letters = commit.deadLetters.map((burial) => burialOf(topics.letters, burial))
        const bury = async () => void (await outbox.send(letters))
        if (letters.length > 0) await untilKnown(held, clock, bury, (error) => !isParcelsFault(error))
        await writer.append('commit', bodyOf(commit, state, clock.now()))
      }),
    trim: (archivedUpTo) => {
      // The letters of all partitions lie in one topic: one owner sees to it, beside its other work.
      if (partition === 0) void context.letters.tidy()
      return writer.oneByOne(() => writer.trim(archivedUpTo))
    },
    release: () => held.release(),
  }
}

/** An inbox that ends before what was consumed lost its tail: all that is in it is read again. */
const unreadIn = ({ start, end }: Bounds, consumed: InboxPlace | null): number =>
  end - (consumed !== null && consumed.offset < end ? consumed.offset + 1 : start)

/** Whether there is something to do: a repeat of the last commit is done already. @throws Fenced */
const follows = (held: HeldLease<LeaseStart>, { head }: PartitionState, { step, head: known }: Commit): boolean => {
  held.assertHeld()
  if (step !== null && step.id === head?.id) return false
  if (known !== (head?.id ?? null) || (step !== null && step.number <= (head?.number ?? 0)))
    throw new Fenced(`the head of partition ${held.partition} is not ${known}`)
  return true
}

const bodyOf = (
  { step, inbox, snapshots, tombstones }: Commit,
  state: PartitionState,
  now: number,
): Bodies['commit'] => ({
  step,
  inbox: inbox === null ? null : placeOf(inbox),
  snapshots,
  closed: tombstones.map(({ id, seq, end }) => ({
    id,
    seq,
    end,
    at: step?.at ?? isoTime(now),
    step: step?.number ?? state.head?.number ?? 0,
  })),
})
