import type { Clock } from '../../machines/ports/environment.ts'
import { isOutOfRange } from './errors.ts'
import type { Links } from './links.ts'
import { Owners } from './owners.ts'
import type { Place, Refused, Slice } from './protocol/fetch.ts'
import type { Topics } from './topics.ts'
import type { Wire } from './wire.ts'

type Listener = () => void
/** With what was brought along; without where somebody has to look. */
type ArrivalListener = (slice?: Slice) => void

/** A broker holds the question this long when there is nothing new; what is watched from now on joins the next one. */
const WAIT_MS = 1_000
const AFTER_ERROR_MS = 500
/** Of each inbox, brought along with the news: some dozens of messages, so that nobody has to ask for them. */
const ARRIVAL_BYTES = 64 * 1024
/** Enough for thousands of notices. */
const OWNERS_BYTES = 256 * 1024

/** Hears from the brokers what came: one question, open all the time, for everything that is watched. */
export class News {
  readonly #topics: Topics
  readonly #links: Links
  readonly #clock: Clock
  readonly #watch: Wire
  readonly #read: Wire
  readonly #onError: (error: unknown) => void
  readonly #growth = new Set<Listener>()
  readonly #owning = new Set<Listener>()
  readonly #arrivals = new Map<number, { offset: number; readonly listener: ArrivalListener }>()
  /** Places that were refused a moment ago. */
  readonly #resting = new Set<string>()
  readonly #closing = new AbortController()
  #owners = new Owners()
  /** Nothing happened to the connections since the owners' topic was read from its beginning. */
  #sureAt = -1
  #tails: number[] | null = null
  #running: Promise<void> | null = null

  /** `watch` is for the open question alone; `read` for all else. */
  constructor(at: {
    readonly topics: Topics
    readonly links: Links
    readonly clock: Clock
    readonly watch: Wire
    readonly read: Wire
    readonly onError: (error: unknown) => void
  }) {
    this.#topics = at.topics
    this.#links = at.links
    this.#clock = at.clock
    this.#watch = at.watch
    this.#read = at.read
    this.#onError = at.onError
  }

  get owners(): Owners {
    return this.#owners
  }

  onGrowth(listener: Listener): () => void {
    return this.#add(this.#growth, listener)
  }

  onOwners(listener: Listener): () => void {
    return this.#add(this.#owning, listener)
  }

  /** Calls back when the partition's inbox holds something at or behind the offset, and again when more came. */
  onArrival(partition: number, offset: number, listener: ArrivalListener): () => void {
    const watched = { offset, listener }
    this.#arrivals.set(partition, watched)
    this.#start()
    return () => {
      if (this.#arrivals.get(partition) === watched) this.#arrivals.delete(partition)
    }
  }

  /** Reads the owners' topic to its end. */
  async catchUp(): Promise<void> {
    const { changes } = this.#links
    // It may have lost its tail meanwhile, and have grown since.
    const owners = changes === this.#sureAt ? this.#owners : new Owners()
    for (;;) {
      const place = { topic: this.#topics.owners, partition: 0, offset: owners.next }
      const [slice] = await this.#read.fetch([place], { waitMs: 0, bytes: OWNERS_BYTES }).catch((error: unknown) => {
        if (isOutOfRange(error)) this.#sureAt = -1
        throw error
      })
      if (slice === undefined || !owners.take(slice.records)) break
    }
    this.#owners = owners
    this.#sureAt = changes
  }

  async close(): Promise<void> {
    this.#closing.abort()
    this.#watch.cut()
    await this.#running
  }

  #add(set: Set<Listener>, listener: Listener): () => void {
    set.add(listener)
    this.#start()
    return () => set.delete(listener)
  }

  #start(): void {
    this.#running ??= this.#run()
  }

  /** To each broker one question, open all the time. */
  async #run(): Promise<void> {
    const asking = new Map<string, Promise<void>>()
    while (!this.#closing.signal.aborted) {
      try {
        this.#tails ??= await this.#findTails()
        for (const [leader, places] of await this.#watch.byLeader(this.#places()))
          if (!asking.has(leader))
            asking.set(
              leader,
              this.#ask(places).finally(() => asking.delete(leader)),
            )
        if (asking.size > 0) await Promise.race(asking.values())
        else await this.#clock.sleep(AFTER_ERROR_MS, this.#closing.signal)
      } catch (error) {
        if (this.#closing.signal.aborted) return
        this.#onError(error)
        this.#tails = null
        await this.#clock.sleep(AFTER_ERROR_MS, this.#closing.signal)
        this.#tellAll()
      }
    }
  }

  async #ask(places: readonly Place[]): Promise<void> {
    const { slices, refused } = await this.#watch.fetchEach(places, { waitMs: WAIT_MS, bytes: ARRIVAL_BYTES })
    if (this.#closing.signal.aborted) return
    this.#spread(slices)
    if (refused.length > 0) void this.#rest(refused)
  }

  /** What is refused is left out for a moment, so that it does not disturb the rest. */
  async #rest(refused: readonly Refused[]): Promise<void> {
    this.#onError(refused[0]?.error)
    for (const place of refused) this.#resting.add(nameOf(place))
    if (refused.some(({ error }) => isOutOfRange(error))) this.#tails = null
    await this.#clock.sleep(AFTER_ERROR_MS, this.#closing.signal)
    for (const place of refused) this.#resting.delete(nameOf(place))
    this.#tellAll()
  }

  /** What was missed meanwhile is found by a look. */
  #tellAll(): void {
    for (const listener of [...this.#growth, ...this.#owning]) listener()
    for (const { listener } of this.#arrivals.values()) listener()
  }

  /** Where to watch from, at the start and after an error; an inbox that lost its tail is watched from its end. */
  async #findTails(): Promise<number[]> {
    const [journal, inbox] = await Promise.all([
      this.#watch.bounds(this.#topics.journal),
      this.#watch.bounds(this.#topics.inbox),
    ])
    for (const [partition, watched] of this.#arrivals) {
      const bounds = inbox[partition]
      if (bounds !== undefined) watched.offset = Math.max(bounds.start, Math.min(watched.offset, bounds.end))
    }
    return journal.map(({ end }) => end)
  }

  #places(): Place[] {
    const { inbox, journal, owners } = this.#topics
    const tails = this.#growth.size > 0 ? (this.#tails ?? []) : []
    const all = [
      { topic: owners, partition: 0, offset: this.#owners.next },
      ...tails.flatMap((offset, partition) => [{ topic: journal, partition, offset, bytes: 1 }]),
      ...[...this.#arrivals].map(([partition, { offset }]) => ({ topic: inbox, partition, offset })),
    ]
    return all.filter((place) => !this.#resting.has(nameOf(place)))
  }

  #spread(slices: readonly Slice[]): void {
    const { inbox, journal, owners } = this.#topics
    for (const slice of slices) {
      if (slice.topic === owners && this.#owners.take(slice.records)) for (const listener of this.#owning) listener()
      const arrival = slice.topic === inbox ? this.#arrivals.get(slice.partition) : undefined
      if (arrival !== undefined && slice.end > arrival.offset) {
        arrival.offset = slice.end
        arrival.listener(slice)
      }
    }
    const grown = slices.filter(
      ({ topic, partition, end }) => topic === journal && end > (this.#tails?.[partition] ?? Number.POSITIVE_INFINITY),
    )
    for (const { partition, end } of grown) if (this.#tails !== null) this.#tails[partition] = end
    if (grown.length > 0) for (const listener of this.#growth) listener()
  }
}

const nameOf = ({ topic, partition }: Place): string => `${topic}/${partition}`
