import {
  type IHeaders,
  Kafka,
  type KafkaConfig,
  Partitioners,
  type Producer,
  type ProducerBatch,
  type RecordMetadata,
} from 'kafkajs'
import { grouped } from '../shared/grouped.ts'
import { typeOf } from './wire.ts'

/** A record on its way to one partition. */
export interface Parcel {
  readonly topic: string
  readonly partition: number
  readonly key?: string
  readonly value: Buffer | null
  readonly headers?: IHeaders
}

/** Sends to any number of partitions in one request to each broker. */
export type Send = (batch: ProducerBatch) => Promise<RecordMetadata[]>

export interface Outbox {
  /** The offset of the first parcel in each partition, durable on all replicas in sync. An error leaves the outcome unknown. */
  send(parcels: readonly Parcel[]): Promise<number>
  close(): Promise<void>
}

const REQUEST_BYTES_MAX = 4 * 1024 * 1024
const REQUEST_PARCELS_MAX = 5_000

/** Another try would meet the same answer. */
export const isParcelsFault = (error: unknown): boolean =>
  ['MESSAGE_TOO_LARGE', 'RECORD_LIST_TOO_LARGE', 'INVALID_RECORD'].includes(typeOf(error) ?? '')

/** What brokers answer for one partition, while they may take what goes to the others. */
const isPartitionsFault = (error: unknown): boolean => typeOf(error) !== null && !isParcelsFault(error)

/** Sends what is handed in, one request at a time, which carries all that came while the one before was under way. */
interface Lane {
  send(parcels: readonly Parcel[]): Promise<number>
  close(): Promise<void>
}

/**
 * A lane to each broker and topic, so that one that is down keeps nobody waiting but its own partitions, and no commit waits for
 * what is published; and one for the partitions that were refused, until they are taken again. `decorate` is where a test loses answers.
 */
export const openOutbox = (
  config: KafkaConfig,
  leaderOf: (parcel: Parcel) => string,
  decorate: (send: Send) => Send = (send) => send,
): Outbox => {
  const lanes = new Map<string, Lane>()
  const refused = new Set<string>()
  const laneOf = (name: string): Lane => {
    const lane = lanes.get(name) ?? openLane(config, decorate)
    lanes.set(name, lane)
    return lane
  }
  const sendOn = async (name: string, parcels: readonly Parcel[]): Promise<number> => {
    try {
      const offset = await laneOf(name).send(parcels)
      for (const parcel of parcels) refused.delete(placeOf(parcel))
      return offset
    } catch (error) {
      if (isPartitionsFault(error)) for (const parcel of parcels) refused.add(placeOf(parcel))
      throw error
    }
  }
  return {
    send: async (parcels) => {
      const laneFor = (parcel: Parcel) => `${leaderOf(parcel)}/${parcel.topic}`
      const byLane = Map.groupBy(parcels, (parcel) => (refused.has(placeOf(parcel)) ? REFUSED : laneFor(parcel)))
      const offsets = await Promise.all([...byLane].map(([name, some]) => sendOn(name, some)))
      return offsets[0] ?? -1
    },
    close: async () => {
      await Promise.all([...lanes.values()].map((lane) => lane.close()))
    },
  }
}

/** The lane of what was refused. */
const REFUSED = 'refused'

const placeOf = ({ topic, partition }: Parcel): string => `${topic}/${partition}`

const openLane = (config: KafkaConfig, decorate: (send: Send) => Send): Lane => {
  const kafka = new Kafka(config)
  let producer: Promise<Producer> | null = null
  const connect = async () => {
    const made = kafka.producer({
      idempotent: true,
      maxInFlightRequests: 1,
      allowAutoTopicCreation: false,
      createPartitioner: Partitioners.DefaultPartitioner,
      // Callers repeat by themselves, and know better what may be repeated.
      retry: { retries: 5, initialRetryTime: 20 },
    })
    await made.connect()
    return made
  }
  /** A producer that failed may have used up a sequence number: the next one must not reuse it for other records. */
  const replace = async () => {
    const failed = producer
    producer = null
    await failed?.then((made) => made.disconnect()).catch(() => undefined)
  }
  const raw: Send = async (batch) => {
    producer ??= connect()
    return await (await producer).sendBatch(batch)
  }
  const sendBatch = decorate(raw)
  const run = async (calls: readonly (readonly Parcel[])[]): Promise<number[]> => {
    try {
      const placed = await sendBatch(batchOf(calls.flat()))
      return offsetsOf(calls, placed)
    } catch (error) {
      await replace()
      throw error
    }
  }
  return {
    send: grouped({
      run,
      weigh: (parcels) => parcels.reduce((bytes, { value }) => bytes + (value?.byteLength ?? 0) + 100, 0),
      weightMax: REQUEST_BYTES_MAX,
      itemsMax: REQUEST_PARCELS_MAX,
      isItemsFault: (error) => typeOf(error) !== null,
    }),
    close: replace,
  }
}

const batchOf = (parcels: readonly Parcel[]): ProducerBatch => ({
  acks: -1,
  topicMessages: [...Map.groupBy(parcels, ({ topic }) => topic)].map(([topic, of]) => ({
    topic,
    messages: of.map(({ partition, key, value, headers }) => ({
      partition,
      value,
      ...(key !== undefined && { key }),
      ...(headers && { headers }),
    })),
  })),
})

/** Records of one partition lie in a row, in the order in which they were handed in. */
const offsetsOf = (calls: readonly (readonly Parcel[])[], placed: readonly RecordMetadata[]): number[] => {
  const next = new Map(
    placed.map(({ topicName, partition, baseOffset }) => [`${topicName}/${partition}`, Number(baseOffset)]),
  )
  return calls.map((parcels) => {
    let first = -1
    for (const { topic, partition } of parcels) {
      const offset = next.get(`${topic}/${partition}`) ?? -1
      if (first < 0) first = offset
      next.set(`${topic}/${partition}`, offset + 1)
    }
    return first
  })
}
