/** Somebody beside the archive who follows the journals, and said so in the log. */
export interface JournalReader {
  readonly name: string
  /** Steps that are there and that it has not behind it, over all partitions; on Kafka records, some of which hold no step. */
  readonly behind: number
  /** When the oldest of those was written, ISO 8601; null when it has read everything. */
  readonly waitsSince: string | null
}

/**
 * Who registered to follow the journals. A reader registers and reports in the log itself, with the log's own client (see
 * docs/events.md): what it has not behind it is not trimmed.
 */
export interface JournalReaders {
  /** By name. */
  list(): Promise<JournalReader[]>
  /** What it has not read may be trimmed from now on, unless it registers again. Answers whether it was registered. */
  remove(name: string): Promise<boolean>
}
