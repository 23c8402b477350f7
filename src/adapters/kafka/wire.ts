import { type Broker, type Cluster, Kafka } from 'kafkajs'
import type { Clock } from '../../machines/ports/environment.ts'
import { clusterOf } from './cluster.ts'
import type { Links } from './links.ts'

/** A partition of a topic, and the offset from which it is read. */
export interface Place {
  readonly topic: string
  readonly partition: number
  readonly offset: number
  /** In place of what the question allows for each partition. */
  readonly bytes?: number
}

export interface WireRecord {
  readonly offset: number
  readonly key: string | null
  readonly value: Buffer
  readonly headers: Readonly<Record<string, string>>
  /** As its producer or the broker set it, ms since the epoch. */
  readonly timestamp: string
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

/** The first offset that is there, and the one behind the last that is acknowledged. */
export interface Bounds {
  readonly start: number
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

/** Tells errors after which another try may find the brokers back, which somebody hears of, from those that stay. */
export const tellPassing =
  (onError: (error: unknown) => void) =>
  (error: unknown): boolean => {
    const isKafkas = error instanceof Error && error.name.startsWith('KafkaJS') && !isOutOfRange(error)
    const passes = isKafkas || error instanceof Unanswered
    if (passes) onError(error)
    return passes
  }

/** A leader left out what it was asked for. */
class Unanswered extends Error {}

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
  readonly #cluster: Cluster
  readonly #topics: string[]
  readonly #clock: Clock
  readonly #links: Links
  #connected: Promise<void> | null = null

  constructor(links: Links, topics: readonly string[], clock: Clock) {
    this.#cluster = clusterOf(new Kafka(links.config))
    this.#topics = [...topics]
    this.#clock = clock
    this.#links = links
  }

  /** The bounds of all partitions of a topic whose leader answers; the others are missing. @throws when none does. */
  async bounds(topic: string): Promise<Bounds[]> {
    await this.#connect()
    return this.#bounds(
      topic,
      this.#cluster.findTopicPartitionMetadata(topic).map(({ partitionId }) => partitionId),
    )
  }

  /** @throws when its leader does not answer. */
  async boundsOf(topic: string, partition: number): Promise<Bounds> {
    const bounds = (await this.#bounds(topic, [partition]))[partition]
    if (bounds === undefined) throw new Unanswered(`partition ${partition} of ${topic} does not say where it ends`)
    return bounds
  }

  /** One request to each broker that leads one of the places; a place of which nothing came may be missing. */
  async fetch(places: readonly Place[], limits: FetchLimits): Promise<readonly Slice[]> {
    for (let tries = 1; ; tries++) {
      const { slices, refused } = await this.fetchEach(places, limits)
      const [first] = refused
      if (first === undefined) return slices
      if (tries === TRIES || refused.some(({ error }) => isOutOfRange(error))) throw first.error
      await this.#clock.sleep(PAUSE_FIRST_MS * 2 ** tries)
    }
  }

  /** The same, once, and each place on its own: those that are refused do not keep the others from being read. */
  async fetchEach(places: readonly Place[], limits: FetchLimits): Promise<Fetched> {
    const fetched = await this.#askLeaders(places, limits)
    if (fetched.refused.some(({ error }) => !isOutOfRange(error))) {
      this.#connected = null
      this.#links.noteChange()
    }
    return fetched
  }

  /** The places by the broker that leads them, as far as is known. */
  async byLeader(places: readonly Place[]): Promise<Map<string, Place[]>> {
    await this.#connect()
    return Map.groupBy(places, (place) => this.#leaderOf(place))
  }

  /** The broker that led a partition when it was last looked up; empty before. */
  leaderHint({ topic, partition }: Pick<Place, 'topic' | 'partition'>): string {
    return this.#connected === null ? '' : this.#leaderOf({ topic, partition })
  }

  /** Drops all records before an offset. */
  async dropBefore(topic: string, partition: number, offset: number): Promise<void> {
    const { start } = await this.boundsOf(topic, partition)
    if (start >= offset) return
    const nodeId = this.#leaderOf({ topic, partition })
    const broker = (await this.#cluster.findBroker({ nodeId })) as Broker & RecordsDeleter
    await broker.deleteRecords({ topics: [{ topic, partitions: [{ partition, offset: `${offset}` }] }] })
  }

  async close(): Promise<void> {
    await this.#cluster.disconnect()
  }

  async #connect(): Promise<void> {
    this.#connected ??= (async () => {
      await this.#cluster.connect()
      await this.#cluster.addMultipleTargetTopics(this.#topics)
      await this.#cluster.refreshMetadata()
    })()
    await this.#connected.catch((error: unknown) => {
      this.#connected = null
      throw error
    })
  }

  async #askLeaders(places: readonly Place[], limits: FetchLimits): Promise<Fetched> {
    try {
      const led = await this.byLeader(places)
      // Several brokers answer together: none may wait for long while another has something.
      const waitMs = led.size === 1 ? limits.waitMs : Math.min(limits.waitMs, 20)
      return merged(
        await Promise.all([...led].map(([leader, asked]) => this.#ask(leader, asked, { ...limits, waitMs }))),
      )
    } catch (error) {
      return { slices: [], refused: places.map((place) => ({ ...place, error })) }
    }
  }

  async #ask(nodeId: string, asked: readonly Place[], limits: FetchLimits): Promise<Fetched> {
    try {
      return { slices: await this.#askBroker(nodeId, asked, limits), refused: [] }
    } catch (error) {
      if (asked.length === 1 || typeOf(error) === null)
        return { slices: [], refused: asked.map((place) => ({ ...place, error })) }
      // kafkajs throws all of an answer away for the error of one partition, and does not always say of which.
      const half = Math.ceil(asked.length / 2)
      const parts = [asked.slice(0, half), asked.slice(half)]
      return merged(await Promise.all(parts.map((part) => this.#ask(nodeId, part, { ...limits, waitMs: 0 }))))
    }
  }

  async #askBroker(nodeId: string, asked: readonly Place[], { waitMs, bytes }: FetchLimits): Promise<Slice[]> {
    const broker = await this.#cluster.findBroker({ nodeId })
    const topics = [...Map.groupBy(asked, ({ topic }) => topic)].map(([topic, of]) => ({
      topic,
      partitions: of.map(({ partition, offset, bytes: maxBytes = bytes }) => ({
        partition,
        fetchOffset: `${offset}`,
        maxBytes,
      })),
    }))
    const request = { maxWaitTime: waitMs, minBytes: 1, maxBytes: FETCH_BYTES_MAX, topics }
    return slicesOf(asked, (await broker.fetch(request)) as Answer)
  }

  async #bounds(topic: string, partitions: readonly number[]): Promise<Bounds[]> {
    for (let tries = 1; ; tries++) {
      try {
        const led = await this.byLeader(partitions.map((partition) => ({ topic, partition, offset: 0 })))
        const asked = await Promise.allSettled([...led.values()].map((places) => this.#askBounds(topic, places)))
        const answers = asked.filter((one) => one.status === 'fulfilled')
        if (answers.length < asked.length) this.#connected = null
        if (answers.length > 0) return Object.assign([], ...answers.map(({ value }) => value)) as Bounds[]
        throw asked.find((one) => one.status === 'rejected')?.reason ?? new Error(`${topic} has no partitions`)
      } catch (error) {
        if (tries === TRIES) throw error
        this.#connected = null
        await this.#clock.sleep(PAUSE_FIRST_MS * 2 ** tries)
      }
    }
  }

  async #askBounds(topic: string, places: readonly Place[]): Promise<Bounds[]> {
    const partitions = places.map(({ partition }) => ({ partition }))
    const at = async (fromBeginning: boolean) => {
      const [answer] = await this.#cluster.fetchTopicsOffset([{ topic, partitions, fromBeginning }])
      return new Map(answer?.partitions.map(({ partition, offset }) => [partition, Number(offset)]))
    }
    const [starts, ends] = await Promise.all([at(true), at(false)])
    const bounds: Bounds[] = []
    for (const { partition } of places)
      bounds[partition] = { start: starts.get(partition) ?? 0, end: ends.get(partition) ?? 0 }
    return bounds
  }

  #leaderOf({ topic, partition }: Pick<Place, 'topic' | 'partition'>): string {
    return Object.keys(this.#cluster.findLeaderForPartitions(topic, [partition]))[0] ?? NO_LEADER
  }
}

/** What kafkajs' types leave out of its brokers. Its admin's way asks all leaders of a topic to delete from one. */
interface RecordsDeleter {
  deleteRecords(request: {
    readonly topics: readonly {
      readonly topic: string
      readonly partitions: readonly { readonly partition: number; readonly offset: string }[]
    }[]
  }): Promise<void>
}

/** As brokers name it. */
const NO_LEADER = '-1'

const merged = (parts: readonly Fetched[]): Fetched => ({
  slices: parts.flatMap(({ slices }) => slices),
  refused: parts.flatMap(({ refused }) => refused),
})

/** As kafkajs answers; its own type is `any`. */
interface Answer {
  readonly responses: readonly {
    readonly topicName: string
    readonly partitions: readonly {
      readonly partition: number
      readonly highWatermark: string
      readonly messages: readonly {
        readonly offset: string
        readonly timestamp: string
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
        .map(({ offset, timestamp, key, value, headers = {} }) => ({
          offset: Number(offset),
          timestamp,
          key: key?.toString() ?? null,
          value: value ?? Buffer.alloc(0),
          headers: Object.fromEntries(Object.entries(headers).map(([name, text]) => [name, text.toString()])),
        }))
      return [{ ...place, records, end: Number(highWatermark) }]
    }),
  )
