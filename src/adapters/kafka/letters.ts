import { TaskSource } from '../../events/task.ts'
import type { DeadLetter } from '../../machines/ports/event-log.ts'
import type { Parcel } from './outbox.ts'
import type { Wire, WireRecord } from './wire.ts'

const READ_BYTES = 4 * 1024 * 1024

export const letterOf = (topic: string, letter: DeadLetter): Parcel => {
  const { id, partition, reason, source, at, bytes } = letter
  const headers = { partition: `${partition}`, reason: reason.toWellFormed(), source, at }
  return { topic, partition: 0, key: id, headers, value: Buffer.from(bytes) }
}

/** The oldest letters, each once. */
export const readLetters = async (topic: string, wire: Wire, limit: number): Promise<DeadLetter[]> => {
  const found = new Map<string, DeadLetter>()
  const { start = 0, end = 0 } = (await wire.bounds(topic))[0] ?? {}
  for (let offset = start; offset < end && found.size < limit; ) {
    const [slice] = await wire.fetch([{ topic, partition: 0, offset }], { waitMs: 0, bytes: READ_BYTES })
    for (const record of slice?.records ?? []) {
      const letter = parse(record)
      if (!found.has(letter.id) && found.size < limit) found.set(letter.id, letter)
      offset = record.offset + 1
    }
  }
  return [...found.values()]
}

const parse = ({ key, value, headers }: WireRecord): DeadLetter => ({
  id: key ?? '',
  partition: Number(headers['partition']),
  reason: headers['reason'] ?? '',
  source: TaskSource.parse(headers['source']),
  bytes: value,
  at: headers['at'] ?? '',
})
