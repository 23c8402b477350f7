import type { ByteReader, ByteWriter } from './bytes.ts'
import { errorOf, listOf, type Question } from './question.ts'
import { readBatches, type WireRecord } from './record-batch.ts'

/** A partition of a topic, and the offset from which it is read. */
export interface Place {
  readonly topic: string
  readonly partition: number
  readonly offset: number
  /** In place of what the question allows for each partition. */
  readonly bytes?: number
}

/** What a fetch brought of one partition: whole records in order, none before the place, maybe not all. */
export interface Slice extends Place {
  readonly records: readonly WireRecord[]
  /** The offset behind the partition's last record that is acknowledged. */
  readonly end: number
}

/** A place of which the brokers gave nothing, and why. */
export interface Refused extends Place {
  readonly error: unknown
}

export interface Fetched {
  readonly slices: readonly Slice[]
  readonly refused: readonly Refused[]
}

export interface FetchLimits {
  /** How long the broker waits for the first record. */
  readonly waitMs: number
  /** Of each partition. The first record that is there comes whole, whatever its size. */
  readonly bytes: number
}

/** Of all partitions together in one answer. */
const FETCH_BYTES_MAX = 16 * 1024 * 1024
const READ_COMMITTED = 1

/** Fetch, version 7: every broker since 1.1 knows it. Each partition answers for itself. */
export const fetchQuestion = (places: readonly Place[], limits: FetchLimits): Question<Fetched> => ({
  apiKey: 1,
  apiVersion: 7,
  apiName: 'Fetch',
  waitMs: limits.waitMs,
  write: (to) => {
    to.int32(-1).int32(limits.waitMs).int32(1).int32(FETCH_BYTES_MAX).int8(READ_COMMITTED)
    // No fetch session: no id, and no place in it.
    to.int32(0).int32(-1)
    writePlaces(to, places, limits)
    to.int32(0)
  },
  read: (from) => {
    const throttleMs = from.int32()
    const error = errorOf(from.int16())
    if (error !== null) throw error
    from.int32()
    return { throttleMs, answer: readPartitions(from, places) }
  },
})

const writePlaces = (to: ByteWriter, places: readonly Place[], { bytes }: FetchLimits): void => {
  const topics = Map.groupBy(places, ({ topic }) => topic)
  to.int32(topics.size)
  for (const [topic, of] of topics) {
    to.string(topic).int32(of.length)
    for (const place of of)
      to.int32(place.partition)
        .int64(place.offset)
        .int64(-1)
        .int32(place.bytes ?? bytes)
  }
}

const readPartitions = (from: ByteReader, places: readonly Place[]): Fetched => {
  const asked = new Map(places.map((place) => [`${place.topic}/${place.partition}`, place]))
  const slices: Slice[] = []
  const refused: Refused[] = []
  listOf(from, () => {
    const topic = from.string()
    listOf(from, () => {
      const answer = readPartition(from)
      const place = asked.get(`${topic}/${answer.partition}`)
      if (place === undefined) return
      if (answer.error === null)
        slices.push({ ...place, records: readBatches(answer.batches, place.offset), end: answer.end })
      else refused.push({ ...place, error: answer.error })
    })
  })
  return { slices, refused }
}

const readPartition = (from: ByteReader) => {
  const partition = from.int32()
  const error = errorOf(from.int16())
  const end = from.int64()
  from.int64()
  from.int64()
  listOf(from, () => from.bytes(ABORTED_BYTES))
  return { partition, error, end, batches: from.bytes(Math.max(from.int32(), 0)) }
}

/** A producer's id, and where its transaction began. */
const ABORTED_BYTES = 16
