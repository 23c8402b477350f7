import type { ByteWriter } from './bytes.ts'
import { errorOf, listOf, type Question } from './question.ts'
import { type NewRecord, type Sequence, writeBatch } from './record-batch.ts'

/** Records on their way to one partition, as one batch. */
export interface NewBatch {
  readonly topic: string
  readonly partition: number
  readonly records: readonly NewRecord[]
  readonly sequence: Sequence
}

/** What became of a partition's batch: where its first record lies, or why the broker did not take it. */
export interface Produced {
  readonly topic: string
  readonly partition: number
  readonly offset: number
  readonly error: (Error & { readonly retriable: boolean }) | null
}

/** All replicas that are in sync. */
const ACKS = -1
/** How long a broker waits for them. Whoever calls does so for less. */
const REPLICAS_MS_MAX = 30_000

/** Produce, version 7: every broker since 2.1 knows it. Each partition answers for itself. */
export const produceQuestion = (batches: readonly NewBatch[], now: number): Question<Produced[]> => ({
  apiKey: 0,
  apiVersion: 7,
  apiName: 'Produce',
  waitMs: 0,
  write: (to) => {
    to.string(null).int16(ACKS).int32(REPLICAS_MS_MAX)
    const topics = Map.groupBy(batches, ({ topic }) => topic)
    to.int32(topics.size)
    for (const [topic, of] of topics) {
      to.string(topic).int32(of.length)
      for (const batch of of) writePartition(to, batch, now)
    }
  },
  read: (from) => {
    const answer = listOf(from, () => {
      const topic = from.string()
      return listOf(from, () => {
        const partition = from.int32()
        const error = errorOf(from.int16())
        const offset = from.int64()
        from.int64()
        from.int64()
        return { topic, partition, offset, error }
      })
    })
    return { answer: answer.flat(), throttleMs: from.int32() }
  },
})

const writePartition = (to: ByteWriter, { partition, records, sequence }: NewBatch, now: number): void => {
  to.int32(partition).int32(0)
  const start = to.position
  writeBatch(to, records, sequence, now)
  to.setInt32(start - 4, to.position - start)
}
