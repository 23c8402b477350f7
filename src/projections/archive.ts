import { type EventLog, FORMAT, type Step, type StepRef } from '../machines/ports/event-log.ts'
import { type Follow, follow, type Round } from './follow.ts'
import { BATCH_FACTS } from './project.ts'
import { type Archive, type ArchiveHead, ArchiveRefused } from './store.ts'

/** Why the archive reads no further in a partition until an operator has repaired it. */
export type StopReason = 'step_does_not_follow' | 'repair_unfinished' | 'log_replaced' | 'format_unknown' | 'refused'

/** What the archive reads of the log. */
export type Journals = Pick<EventLog, 'partitions' | 'identity' | 'journal' | 'onGrowth'>

/** A partition that was stopped is looked at again this often: a repair moves the archive's head. */
const RECHECK_MS = 10_000

/**
 * Reads the journals of all partitions into the archive until the signal aborts. It sets nothing aside: a step that does not
 * follow the one before stops its partition with a reason and an alert; the others go on.
 */
export const archiveJournals = async (log: Journals, archive: Archive, options: Follow): Promise<void> => {
  const archiver = new Archiver(log, archive, await log.identity(), options)
  return follow(
    options,
    (listener) => log.onGrowth(listener),
    () => archiver.round(),
  )
}

class Archiver {
  readonly #log: Journals
  readonly #archive: Archive
  readonly #identity: string
  readonly #options: Follow
  #heads: Map<number, ArchiveHead> | null = null
  readonly #stopped = new Map<number, StopReason>()
  /** Until the partition goes on: one trouble is one alert, however often it is looked at. */
  readonly #alerted = new Map<number, StopReason>()
  #recheckAt = 0
  /** The steps behind what was appended last. None while a partition is stopped, since heads are read anew then. */
  #ahead: Promise<Step[]> | null = null

  constructor(log: Journals, archive: Archive, identity: string, options: Follow) {
    this.#log = log
    this.#archive = archive
    this.#identity = identity
    this.#options = options
  }

  async round(): Promise<Round> {
    const heads = await this.#currentHeads()
    const steps = await (this.#ahead ?? this.#read(heads))
    this.#ahead = null
    const good = this.#following(heads, steps)
    if (good.length === 0) return 'idle'
    const { pauseMs, batchFacts = BATCH_FACTS } = this.#options
    const grows = pauseMs !== undefined && factsOf(good) < batchFacts
    const ahead = grows ? null : this.#readBehind(heads, good)
    const outcome = await this.#append(good)
    if (outcome === 'moved') {
      this.#heads = null
      this.#options.environment.logger.info({}, 'another process writes the archive: standing by')
      return 'moved'
    }
    if (this.#stopped.size === 0) this.#ahead = ahead
    return grows ? 'some' : 'more'
  }

  #read(heads: ReadonlyMap<number, StepRef>): Promise<Step[]> {
    return this.#log.journal(this.#positions(heads), this.#options.batchFacts ?? BATCH_FACTS)
  }

  /** Reads what comes behind steps while the database takes them. */
  #readBehind(heads: ReadonlyMap<number, StepRef>, steps: readonly Step[]): Promise<Step[]> {
    const behind = new Map<number, StepRef>(heads)
    for (const step of steps) behind.set(step.partition, step)
    const ahead = this.#read(behind)
    // Whoever asks for it meets its error; where nobody does any more, nothing is lost.
    ahead.catch(() => undefined)
    return ahead
  }

  /** The heads as this process knows them, read again after someone else moved them and while a partition is stopped. */
  async #currentHeads(): Promise<Map<number, ArchiveHead>> {
    const now = this.#options.environment.clock.now()
    const known = this.#heads
    if (known !== null && (this.#stopped.size === 0 || now < this.#recheckAt)) return known
    const heads = await this.#archive.heads()
    this.#heads = heads
    this.#recheckAt = now + RECHECK_MS
    // A partition that stays broken stops again in this round.
    for (const [partition, reason] of this.#stopped) {
      const repaired = heads.get(partition)?.id !== known?.get(partition)?.id
      if (repaired || reason === 'refused') this.#resume(partition)
    }
    for (const [partition, { log }] of heads) if (log !== this.#identity) this.#stop(partition, 'log_replaced')
    return heads
  }

  #positions(heads: ReadonlyMap<number, StepRef>): Map<number, number> {
    const positions = new Map<number, number>()
    for (let partition = 0; partition < this.#log.partitions; partition++) {
      if (!this.#stopped.has(partition)) positions.set(partition, heads.get(partition)?.number ?? 0)
    }
    return positions
  }

  /** The steps that continue the chain of their partition; the first that does not stops it. */
  #following(heads: ReadonlyMap<number, ArchiveHead>, steps: readonly Step[]): Step[] {
    const last = new Map<number, { number: number; id: string }>(heads)
    return steps.filter((step) => {
      if (this.#stopped.has(step.partition)) return false
      const before = last.get(step.partition)
      const follows = step.number === (before?.number ?? 0) + 1 && step.previous === (before?.id ?? null)
      if (step.format > FORMAT) this.#stop(step.partition, 'format_unknown')
      else if (!follows) this.#stop(step.partition, 'step_does_not_follow')
      // The repair hands it in itself, with the fence that goes with it: without that one its owner could refund nothing.
      else if (step.facts.length === 0) this.#stop(step.partition, 'repair_unfinished')
      else last.set(step.partition, step)
      return !this.#stopped.has(step.partition)
    })
  }

  /** All at once; where the database refuses something in them, step by step, so that only the bad one's partition stops. */
  async #append(steps: readonly Step[]): Promise<'appended' | 'moved'> {
    try {
      return await this.#appendTogether(steps)
    } catch (error) {
      if (!(error instanceof ArchiveRefused)) throw error
      const [step] = steps
      if (steps.length === 1 && step !== undefined) this.#stop(step.partition, 'refused', error.message)
      else return this.#appendEach(steps)
      return 'appended'
    }
  }

  async #appendEach(steps: readonly Step[]): Promise<'appended' | 'moved'> {
    for (const step of steps) {
      if (!this.#stopped.has(step.partition) && (await this.#append([step])) === 'moved') return 'moved'
    }
    return 'appended'
  }

  async #appendTogether(steps: readonly Step[]): Promise<'appended' | 'moved'> {
    if ((await this.#archive.append(this.#identity, steps)) === 'moved') return 'moved'
    for (const { partition, number, id } of steps) {
      this.#heads?.set(partition, { log: this.#identity, number, id })
      this.#alerted.delete(partition)
    }
    this.#options.environment.meter.count('archive_steps_total', {}, steps.length)
    return 'appended'
  }

  #stop(partition: number, reason: StopReason, detail?: string): void {
    this.#stopped.set(partition, reason)
    if (this.#alerted.get(partition) === reason) return
    this.#alerted.set(partition, reason)
    const { logger, meter } = this.#options.environment
    meter.gauge('archive_stopped', 1, { partition: String(partition) })
    logger.error(
      { partition, reason, detail, alert: true },
      'the archive reads no further in this partition: it needs a repair',
    )
  }

  #resume(partition: number): void {
    this.#stopped.delete(partition)
    this.#options.environment.meter.gauge('archive_stopped', 0, { partition: String(partition) })
  }
}

const factsOf = (steps: readonly Step[]): number => steps.reduce((sum, { facts }) => sum + facts.length, 0)
