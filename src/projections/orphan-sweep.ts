import { encodeAsk, OUR_SOURCE } from '../events/command.ts'
import { partitionOf } from '../events/ids.ts'
import { isoTime } from '../events/text.ts'
import { RESULT_FOLDERS, sessionOfResult } from '../machines/effects/paths.ts'
import type { Environment } from '../machines/ports/environment.ts'
import type { EventLog } from '../machines/ports/event-log.ts'
import type { ListedObjects, StoredObject } from '../machines/ports/objects.ts'
import { ORPHAN_AGE_MS, type OrphanRow, type Orphans, type StoredResult } from './orphans.ts'

/** Rows that one look gives up at most: a mistake of ours or the producer's is seen before it has paid for everything. */
const ROWS_MAX = 200
/** Results that are noted in one call. */
const OBJECTS_BATCH = 500
/** More than there are in the hours that objects live. */
const OBJECTS_MAX = 200_000

interface SweepOptions {
  readonly orphans: Pick<Orphans, 'rows' | 'noteObjects'>
  readonly log: Pick<EventLog, 'publish' | 'partitions'>
  readonly objects: ListedObjects
  /** When the oldest task was made that waits before the log (ms since the epoch); null when none does. */
  readonly oldestWaiting: () => Promise<number | null>
  readonly env: Pick<Environment, 'clock' | 'logger' | 'meter'>
  /** `show`: nothing is given up. */
  readonly mode: 'settle' | 'show' | 'off'
}

/** Looks for what lost its other half, and gives up the session rows for which no task can come any more. */
export class OrphanSweep {
  readonly #options: SweepOptions

  constructor(options: SweepOptions) {
    this.#options = options
  }

  async look(): Promise<void> {
    if (this.#options.mode === 'off') return
    await this.#noteObjects()
    await this.#giveUpRows()
  }

  /**
   * A task that lies in its session's inbox comes before the command that gives it up, and is worked on: the command is then
   * too late. One that lies before the log is not seen by that, so nothing is judged that is not older than all of those.
   */
  async #giveUpRows(): Promise<void> {
    const { orphans, log, oldestWaiting, env, mode } = this.#options
    const waitingSince = await oldestWaiting()
    const beforeMs = Math.min(env.clock.now(), waitingSince ?? Number.POSITIVE_INFINITY) - ORPHAN_AGE_MS
    const rows = await orphans.rows({ before: isoTime(Math.max(0, beforeMs)), limit: ROWS_MAX })
    if (rows.length === 0) return
    const sessions = rows.map(({ sessionId }) => sessionId)
    env.logger.warn({ sessions, mode }, 'no task came for these session rows')
    if (mode !== 'settle') return
    await log.publish(rows.map((row) => giveUp(row, log.partitions)))
    env.meter.count('orphans_given_up_total', {}, rows.length)
  }

  async #noteObjects(): Promise<void> {
    const { orphans, env } = this.#options
    const at = isoTime(env.clock.now())
    let batch: StoredResult[] = []
    let count = 0
    for await (const { path, storedAtMs } of this.#listed()) {
      count += 1
      if (count > OBJECTS_MAX) {
        env.meter.count('orphan_sweeps_cut_total', {})
        env.logger.warn({ count }, 'too many objects to look at all of them')
        return
      }
      const sessionId = sessionOfResult(path)
      if (sessionId === null) continue
      batch.push({ path, sessionId, storedAt: isoTime(Math.floor(storedAtMs)) })
      if (batch.length < OBJECTS_BATCH) continue
      await orphans.noteObjects(batch, at, false)
      batch = []
    }
    await orphans.noteObjects(batch, at, true)
  }

  async *#listed(): AsyncGenerator<StoredObject> {
    for (const folder of RESULT_FOLDERS) yield* this.#options.objects.list(folder)
  }
}

const giveUp = ({ sessionId, owner, requestId }: OrphanRow, partitions: number) => ({
  partition: partitionOf(sessionId, partitions),
  bytes: encodeAsk({ command: 'generation.give_up', sessionId, by: { role: 'runtime' }, owner, requestId }),
  source: OUR_SOURCE,
})
