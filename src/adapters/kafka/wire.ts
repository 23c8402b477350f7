import type { Broker } from 'kafkajs'
import type { Clock } from '../../machines/ports/environment.ts'
import { isOutOfRange, Unanswered } from './errors.ts'
import { Leaders } from './leaders.ts'
import type { Links } from './links.ts'
import { type Fetched, type FetchLimits, fetchQuestion, type Place, type Slice } from './protocol/fetch.ts'
import { ask } from './protocol/question.ts'

/** The first offset that is there, and the one behind the last that is acknowledged. */
export interface Bounds {
  readonly start: number
  readonly end: number
}

/** Stale metadata is the usual reason for a failed fetch: it is refreshed in between. */
const TRIES = 6
const PAUSE_FIRST_MS = 20
/** Several brokers answer together: none may wait for long while another has something. */
const TOGETHER_MS_MAX = 20

/**
 * Reads partitions from explicit offsets, without a consumer group, through connections of its own: a fetch that waits
 * holds up what comes behind it. kafkajs has no such reader.
 */
export class Wire {
  readonly #leaders: Leaders
  readonly #clock: Clock
  readonly #links: Links

  constructor(links: Links, topics: readonly string[], clock: Clock) {
    this.#leaders = new Leaders(links.config, topics)
    this.#clock = clock
    this.#links = links
  }

  /** The bounds of all partitions of a topic whose leader answers; the others are missing. @throws when none does. */
  async bounds(topic: string): Promise<Bounds[]> {
    await this.#leaders.connect()
    return this.#bounds(topic, this.#leaders.partitionsOf(topic))
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
      this.#leaders.forget()
      this.#links.noteChange()
    }
    return fetched
  }

  /** The places by the broker that leads them, as far as is known. */
  byLeader(places: readonly Place[]): Promise<Map<string, Place[]>> {
    return this.#leaders.by(places)
  }

  /** The broker that led a partition when it was last looked up; empty before. */
  leaderHint(partition: Pick<Place, 'topic' | 'partition'>): string {
    return this.#leaders.hint(partition)
  }

  /** Drops all records before an offset. */
  async dropBefore(topic: string, partition: number, offset: number): Promise<void> {
    const { start } = await this.boundsOf(topic, partition)
    if (start >= offset) return
    const broker = (await this.#leaders.leaderOf({ topic, partition })) as Broker & RecordsDeleter
    await broker.deleteRecords({ topics: [{ topic, partitions: [{ partition, offset: `${offset}` }] }] })
  }

  /** Ends the questions that brokers hold. */
  cut(): void {
    this.#leaders.cut()
  }

  close(): Promise<void> {
    return this.#leaders.close()
  }

  async #askLeaders(places: readonly Place[], limits: FetchLimits): Promise<Fetched> {
    try {
      const led = await this.#leaders.by(places)
      const waitMs = led.size === 1 ? limits.waitMs : Math.min(limits.waitMs, TOGETHER_MS_MAX)
      return merged(
        await Promise.all([...led].map(([leader, asked]) => this.#ask(leader, asked, { ...limits, waitMs }))),
      )
    } catch (error) {
      return refusedAll(places, error)
    }
  }

  async #ask(leader: string, asked: readonly Place[], limits: FetchLimits): Promise<Fetched> {
    try {
      return await ask(await this.#leaders.broker(leader), fetchQuestion(asked, limits))
    } catch (error) {
      return refusedAll(asked, error)
    }
  }

  async #bounds(topic: string, partitions: readonly number[]): Promise<Bounds[]> {
    for (let tries = 1; ; tries++) {
      try {
        const led = await this.#leaders.by(partitions.map((partition) => ({ topic, partition })))
        const asked = await Promise.allSettled([...led.values()].map((places) => this.#askBounds(topic, places)))
        const answers = asked.filter((one) => one.status === 'fulfilled')
        if (answers.length < asked.length) this.#leaders.forget()
        if (answers.length > 0) return Object.assign([], ...answers.map(({ value }) => value)) as Bounds[]
        throw asked.find((one) => one.status === 'rejected')?.reason ?? new Error(`${topic} has no partitions`)
      } catch (error) {
        if (tries === TRIES) throw error
        this.#leaders.forget()
        await this.#clock.sleep(PAUSE_FIRST_MS * 2 ** tries)
      }
    }
  }

  async #askBounds(topic: string, places: readonly { readonly partition: number }[]): Promise<Bounds[]> {
    const partitions = places.map(({ partition }) => partition)
    const [starts, ends] = await Promise.all([
      this.#leaders.offsets(topic, partitions, true),
      this.#leaders.offsets(topic, partitions, false),
    ])
    const bounds: Bounds[] = []
    for (const partition of partitions)
      bounds[partition] = { start: starts.get(partition) ?? 0, end: ends.get(partition) ?? 0 }
    return bounds
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

const refusedAll = (places: readonly Place[], error: unknown): Fetched => ({
  slices: [],
  refused: places.map((place) => ({ ...place, error })),
})

const merged = (parts: readonly Fetched[]): Fetched => ({
  slices: parts.flatMap(({ slices }) => slices),
  refused: parts.flatMap(({ refused }) => refused),
})
