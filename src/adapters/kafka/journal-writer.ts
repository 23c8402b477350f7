import { Fenced } from '../../machines/ports/event-log.ts'
import type { HeldLease } from '../shared/kept-lease.ts'
import { untilKnown } from '../shared/until-known.ts'
import type { Anchor } from './anchors.ts'
import { isOutOfRange } from './errors.ts'
import type { LeaseStart } from './lease-table.ts'
import type { LogContext } from './log-context.ts'
import { isParcelsFault } from './outbox.ts'
import type { PartitionState } from './partition-state.ts'
import { type Bodies, decode, encode, type JournalRecord, type Kind, written } from './records.ts'
import { type Mark, missedClaim } from './rule.ts'

/** The only one that appends to a journal under one claim. */
export class JournalWriter {
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
