import { type Admin, type Cluster, Kafka, type KafkaConfig } from 'kafkajs'
import type { Clock } from '../../machines/ports/environment.ts'

/** A partition of a topic, and the offset from which it is read. */
export interface Place {
  readonly topic: string
  readonly partition: number
  readonly offset: number
}

export interface WireRecord {
  readonly offset: number
  readonly key: string | null
  readonly value: Buffer
  readonly headers: Readonly<Record<string, string>>
}

/** What a fetch brought of one partition: whole records in order, none before the place, maybe not all. */
export interface Slice extends Place {
  readonly records: readonly WireRecord[]
  /** The offset behind the partition's last record that is acknowledged. */
  readonly end: number
}

export interface FetchLimits {
  /** How long the broker waits for the first record. */
  readonly waitMs: number
  /** Of each partition. The first record that is there comes whole, whatever its size. */
  readonly bytes: number
}

/** A broker answered that what was asked for is not in the topic any more. */
export const isOutOfRange = (error: unknown): boolean => typeOf(error) === 'OFFSET_OUT_OF_RANGE'

/** The broker's name for an error, such as `MESSAGE_TOO_LARGE`. */
export const typeOf = (error: unknown): string | null => {
  const { type, cause } = (error ?? {}) as { type?: unknown; cause?: unknown }
  if (typeof type === 'string') return type
  return cause === undefined ? null : typeOf(cause)
}

/** Of all partitions together in one answer. */
const FETCH_BYTES_MAX = 16 * 1024 * 1024
/** Stale metadata is the usual reason for a failed fetch: it is refreshed in between. */
const TRIES = 6
const PAUSE_FIRST_MS = 20

/**
 * Reads partitions from explicit offsets, without a consumer group, through connections of its own: a fetch that waits
 * holds up what comes behind it. kafkajs has no such reader; it hands its cluster to partition assigners, and that has one.
 */
export class Wire {
  readonly #admin: Admin
  readonly #cluster: Cluster
  readonly #topics: string[]
  readonly #clock: Clock
  #connected: Promise<void> | null = null

  constructor(config: KafkaConfig, topics: readonly string[], clock: Clock) {
    const kafka = new Kafka(config)
    this.#admin = kafka.admin()
    this.#cluster = clusterOf(kafka)
    this.#topics = [...topics]
    this.#clock = clock
  }

  /** The first offset that is there, and the one behind the last, of each partition. */
  async bounds(topic: string): Promise<{ readonly start: number; readonly end: number }[]> {
    await this.#connect()
    const offsets = await this.#admin.fetchTopicOffsets(topic)
    const bounds: { start: number; end: number }[] = []
    for (const { partition, low, high } of offsets) bounds[partition] = { start: Number(low), end: Number(high) }
    return bounds
  }

  /** One request to each broker that leads one of the places; a place of which nothing came may be missing. */
  async fetch(places: readonly Place[], limits: FetchLimits): Promise<Slice[]> {
    for (let tries = 1; ; tries++) {
      try {
        await this.#connect()
        return await this.#fetchOnce(places, limits)
      } catch (error) {
        if (isOutOfRange(error) || tries === TRIES) throw error
        this.#connected = null
        await this.#clock.sleep(PAUSE_FIRST_MS * 2 ** tries)
      }
    }
  }

  /** Drops all records before an offset. */
  async dropBefore(topic: string, partition: number, offset: number): Promise<void> {
    // Also lets kafkajs look up the topic's leaders: deleteTopicRecords takes for granted that it knows them.
    const { start = 0 } = (await this.bounds(topic))[partition] ?? {}
    if (start < offset)
      await this.#admin.deleteTopicRecords({ topic, partitions: [{ partition, offset: `${offset}` }] })
  }

  async close(): Promise<void> {
    await Promise.allSettled([this.#admin.disconnect(), this.#cluster.disconnect()])
  }

  async #connect(): Promise<void> {
    this.#connected ??= (async () => {
      await Promise.all([this.#admin.connect(), this.#cluster.connect()])
      await this.#cluster.addMultipleTargetTopics(this.#topics)
      await this.#cluster.refreshMetadata()
    })()
    await this.#connected.catch((error: unknown) => {
      this.#connected = null
      throw error
    })
  }

  async #fetchOnce(places: readonly Place[], { waitMs, bytes }: FetchLimits): Promise<Slice[]> {
    const led = Map.groupBy(places, ({ topic, partition }) => this.#leaderOf(topic, partition))
    const answers = await Promise.all(
      [...led].map(async ([nodeId, asked]) => {
        const broker = await this.#cluster.findBroker({ nodeId })
        // Several brokers answer together: none may wait for long while another has something.
        const maxWaitTime = led.size === 1 ? waitMs : Math.min(waitMs, 20)
        const topics = [...Map.groupBy(asked, ({ topic }) => topic)].map(([topic, of]) => ({
          topic,
          partitions: of.map(({ partition, offset }) => ({ partition, fetchOffset: `${offset}`, maxBytes: bytes })),
        }))
        const answer = (await broker.fetch({ maxWaitTime, minBytes: 1, maxBytes: FETCH_BYTES_MAX, topics })) as Answer
        return slicesOf(asked, answer)
      }),
    )
    return answers.flat()
  }

  #leaderOf(topic: string, partition: number): string {
    const leader = Object.keys(this.#cluster.findLeaderForPartitions(topic, [partition]))[0]
    if (leader === undefined) throw new Error(`partition ${partition} of ${topic} has no leader`)
    return leader
  }
}

/** As kafkajs answers; its own type is `any`. */
interface Answer {
  readonly responses: readonly {
    readonly topicName: string
    readonly partitions: readonly {
      readonly partition: number
      readonly highWatermark: string
      readonly messages: readonly {
        readonly offset: string
        readonly key: Buffer | null
        readonly value: Buffer | null
        readonly headers?: Readonly<Record<string, Buffer | string>>
      }[]
    }[]
  }[]
}

const slicesOf = (asked: readonly Place[], { responses }: Answer): Slice[] =>
  responses.flatMap(({ topicName, partitions }) =>
    partitions.flatMap(({ partition, highWatermark, messages }) => {
      const place = asked.find((one) => one.topic === topicName && one.partition === partition)
      if (place === undefined) return []
      // A fetch brings whole batches: the first may begin before the place.
      const records = messages
        .filter(({ offset }) => Number(offset) >= place.offset)
        .map(({ offset, key, value, headers = {} }) => ({
          offset: Number(offset),
          key: key?.toString() ?? null,
          value: value ?? Buffer.alloc(0),
          headers: Object.fromEntries(Object.entries(headers).map(([name, text]) => [name, text.toString()])),
        }))
      return [{ ...place, records, end: Number(highWatermark) }]
    }),
  )

const clusterOf = (kafka: Kafka): Cluster => {
  let found: Cluster | null = null
  kafka.consumer({
    groupId: 'never-joined',
    allowAutoTopicCreation: false,
    partitionAssigners: [
      ({ cluster }) => {
        found = cluster
        return {
          name: 'none',
          version: 0,
          assign: async () => [],
          protocol: () => ({ name: 'none', metadata: NOTHING }),
        }
      },
    ],
  })
  if (found === null) throw new Error('kafkajs did not hand out its cluster')
  return found
}

const NOTHING = Buffer.alloc(0)
