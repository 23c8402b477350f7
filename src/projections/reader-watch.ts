import type { Environment } from '../machines/ports/environment.ts'
import type { JournalReader, JournalReaders } from '../machines/ports/journal-readers.ts'

/** Steps that wait for a reader take room in the log: these many take some hundred MB of it. */
const BEHIND_MAX = 100_000
/** A reader that works is behind by seconds. */
const WAITS_MAX_MS = 15 * 60_000
/** Names come from outside, and each makes time series: the first of them are shown, all are warned of. */
const SHOWN_MAX = 50
const NAME_MAX = 100

/** Looks how far the registered readers of the journals are behind, shows it, and warns of each that begins to lag too far. */
export class ReaderWatch {
  readonly #readers: JournalReaders
  readonly #env: Pick<Environment, 'clock' | 'meter' | 'logger'>
  readonly #shown = new Set<string>()
  #lagging = new Set<string>()

  constructor(readers: JournalReaders, env: Pick<Environment, 'clock' | 'meter' | 'logger'>) {
    this.#readers = readers
    this.#env = env
  }

  async look(): Promise<void> {
    const { clock, logger } = this.#env
    const readers = await this.#readers.list()
    const nowMs = clock.now()
    this.#show(readers, nowMs)
    const lagging = readers.filter((reader) => reader.behind > BEHIND_MAX || waitsMs(reader, nowMs) > WAITS_MAX_MS)
    for (const { name, behind, waitsSince } of lagging) {
      if (this.#lagging.has(name)) continue
      const message =
        'a reader of the journals lags: the log grows until it reads on, or is removed (wearon readers remove)'
      logger.warn({ reader: name, behind, waitsSince }, message)
    }
    for (const { name } of readers)
      if (this.#lagging.has(name) && !lagging.some((one) => one.name === name))
        logger.info({ reader: name }, 'the reader of the journals has caught up')
    this.#lagging = new Set(lagging.map(({ name }) => name))
  }

  /** One that is gone shows nothing behind. */
  #show(readers: readonly JournalReader[], nowMs: number): void {
    const { meter } = this.#env
    for (const { name } of readers) if (this.#shown.size < SHOWN_MAX) this.#shown.add(name)
    for (const name of this.#shown) {
      const reader = readers.find((one) => one.name === name)
      const label = { reader: name.slice(0, NAME_MAX) }
      meter.gauge('journal_reader_behind_steps', reader?.behind ?? 0, label)
      meter.gauge('journal_reader_waits_seconds', reader === undefined ? 0 : waitsMs(reader, nowMs) / 1_000, label)
    }
  }
}

const waitsMs = ({ waitsSince }: JournalReader, nowMs: number): number =>
  waitsSince === null ? 0 : Math.max(nowMs - Date.parse(waitsSince), 0)
