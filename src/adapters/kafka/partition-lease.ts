import { isoTime } from '../../events/text.ts'
import type { Clock } from '../../machines/ports/environment.ts'
import { type Commit, Fenced, type PartitionLease } from '../../machines/ports/event-log.ts'
import type { HeldLease } from '../shared/kept-lease.ts'
import { untilKnown } from '../shared/until-known.ts'
import type { Anchor, Anchors, InboxPlace } from './anchors.ts'
import { isOutOfRange, tellPassing } from './errors.ts'
import { type Inbox, openInbox, placeOf } from './inbox.ts'
import type { Journal } from './journal.ts'
import type { LeaseStart } from './lease-table.ts'
import { burialOf, type Letters } from './letters.ts'
import type { Links } from './links.ts'
import type { News } from './news.ts'
import { isParcelsFault, type Outbox } from './outbox.ts'
import { PartitionState } from './partition-state.ts'
import type { Readers } from './readers.ts'
import { type Bodies, decode, encode, type JournalRecord, type Kind, written } from './records.ts'
import { type Mark, missedClaim } from './rule.ts'
import type { Topics } from './topics.ts'
import type { Bounds, Wire } from './wire.ts'

/** What all leases of one process share. */
export interface LogContext {
  readonly topics: Topics
  readonly links: Links
  readonly wire: Wire
  readonly anchors: Anchors
  readonly outbox: Outbox
  readonly news: News
  readonly journal: Journal
  readonly inboxBounds: (partition: number) => Promise<Bounds>
  readonly letters: Letters
  readonly readers: Readers
  readonly clock: Clock
  /** Hears of what was lost and could be made good. */
  readonly onError: (error: unknown) => void
  readonly tombstonesMax: number
  /** A checkpoint is due once this much was written since the last one, and at least as much as it will have itself. */
  readonly checkpointBytes: number
}

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
  const writer = new Writer(held, context, state)
  const inbox = await openInbox({ ...context, held, topic: context.topics.inbox }, state.inbox)
  context.anchors.watch(epoch.token, held.ended, () => [writer.anchor, ...inbox.anchors()])
  return leaseOn(writer, inbox, held, context, state)
}

const leaseOn = (
  writer: Writer,
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
    take: inbox.take,
    onArrival: inbox.onArrival,
    unread: async () => unreadIn(await context.inboxBounds(partition), state.inbox),
    commit: (commit) =>
      writer.oneByOne(async () => {
        if (!follows(held, state, commit)) return
        // Letters first: one too early is found again under its id, one too late would be lost.
        const letters = commit.deadLetters.map((burial) => burialOf(topics.letters, burial))
        if (letters.length > 0) await untilKnown(held, clock, async () => void (await outbox.send(letters)))
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

/** The only one that appends to a journal under one claim. */
class Writer {
  readonly #held: HeldLease<LeaseStart>
  readonly #context: LogContext
  readonly #state: PartitionState
  /** The offset at which the next record lands when nobody else writes, and the record before it. */
  #tail: number
  #newest: Mark
  /** Nothing happened to the connections since it was seen that the journal holds all that was written. */
  #sureAt: number
  #last: Promise<unknown> = Promise.resolve()

  constructor(held: HeldLease<LeaseStart>, context: LogContext, state: PartitionState) {
    this.#held = held
    this.#context = context
    this.#state = state
    this.#tail = held.start.claim + 1
    this.#newest = { kind: 'claim', epoch: held.epoch.number, token: held.epoch.token, sequence: 0 }
    this.#sureAt = held.start.sureAt
  }

  get anchor(): Anchor {
    const { partition } = this.#held
    const [offset, newest] = [this.#tail - 1, this.#newest]
    const is: Anchor['is'] = (record) => isSame(decode(record).mark, newest)
    return { topic: this.#context.topics.journal, partition, offset, is }
  }

  oneByOne<Result>(work: () => Promise<Result>): Promise<Result> {
    const result = this.#last.then(work)
    this.#last = result.catch(() => undefined)
    return result
  }

  /**
   * Appends a record and takes it in once it counts. What is repeated after an error is the same record: whichever try
   * landed first counts, and the others are void. @throws Fenced
   */
  async append<K extends Kind>(kind: K, body: Bodies[K]): Promise<void> {
    const { outbox, topics, clock, links } = this.#context
    const { partition, epoch } = this.#held
    const sequence = (this.#state.reached?.sequence ?? 0) + 1
    const mark = { kind, epoch: epoch.number, token: epoch.token, sequence }
    const encoded = encode(mark, body)
    const attempt = async () => {
      const offset = await outbox.send([{ topic: topics.journal, partition, ...encoded }])
      if (offset < this.#tail) throw this.#wentBack()
      if (offset === this.#tail && links.changes === this.#sureAt)
        this.#takeIn(written(mark, { offset, bytes: encoded.value.byteLength }, body))
      else await this.#lookBack(offset)
      const { reached } = this.#state
      if (reached?.token !== epoch.token) throw new Fenced(`partition ${partition} has another owner`)
      if (reached.sequence < sequence) throw new Error(`record ${sequence} of partition ${partition} is not there`)
    }
    await untilKnown(this.#held, clock, attempt, (error) => !isParcelsFault(error) && !isOutOfRange(error))
  }

  /**
   * Reads what lies before the record that was just written: of a former owner, of the next one, an earlier try's. The last
   * one that we knew must be among it, or the journal lost its tail and what was written counts for nobody.
   */
  async #lookBack(upTo: number): Promise<void> {
    const { links, journal } = this.#context
    const { changes } = links
    let isWhole = false
    for await (const record of journal.records(this.#held.partition, this.#tail - 1, upTo)) {
      if (!isWhole && !isSame(record.mark, this.#newest)) throw this.#wentBack()
      if (isWhole && missedClaim(this.#state.reached, record.mark)) throw this.#wentBack()
      if (isWhole) this.#takeIn(record)
      isWhole = true
    }
    this.#sureAt = changes
  }

  #takeIn(record: JournalRecord): void {
    this.#state.apply(record)
    this.#tail = record.offset + 1
    this.#newest = record.mark
  }

  #wentBack(): Fenced {
    return new Fenced(`the journal of partition ${this.#held.partition} lost its tail`)
  }

  async trim(archivedUpTo: number): Promise<void> {
    const { journal, readers, topics, wire, tombstonesMax, checkpointBytes } = this.#context
    const { partition } = this.#held
    this.#held.assertHeld()
    const read = await readers.readByAll(partition)
    const trimming = this.#state.trimming(Math.min(archivedUpTo, read.step), tombstonesMax)
    if (trimming !== null) await this.append('trim', trimming)
    journal.noteTrimmed(partition, this.#state.trimmed)
    if (this.#state.bytesSinceCheckpoint > Math.max(checkpointBytes, this.#state.size)) await this.#checkpoint()
    const droppable = this.#state.checkpoints.findIndex(
      ({ head, offset }) => head <= this.#state.trimmed && offset <= read.offset,
    )
    const checkpoint = this.#state.checkpoints[droppable]
    if (checkpoint !== undefined) {
      await wire.dropBefore(topics.journal, partition, checkpoint.offset)
      this.#state.checkpoints = this.#state.checkpoints.slice(0, droppable)
    }
    if (trimming !== null && this.#state.inbox !== null)
      // The last one stays: by it the next owner sees that the inbox lost nothing.
      await wire.dropBefore(topics.inbox, partition, this.#state.inbox.offset)
  }

  async #checkpoint(): Promise<void> {
    await this.append('checkpoint', this.#state.checkpoint())
    for (const part of this.#state.parts()) await this.append('part', part)
  }
}

const isSame = (one: Mark, other: Mark): boolean =>
  one.kind === other.kind && one.epoch === other.epoch && one.token === other.token && one.sequence === other.sequence
