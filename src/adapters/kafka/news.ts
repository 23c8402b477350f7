import type { Clock } from '../../machines/ports/environment.ts'
import { Owners } from './owners.ts'
import type { Topics } from './topics.ts'
import { isOutOfRange, type Place, type Slice, type Wire } from './wire.ts'

type Listener = () => void

/** A broker holds the question this long when there is nothing new; what is watched from now on joins the next one. */
const WAIT_MS = 250
const AFTER_ERROR_MS = 500
/** Enough for thousands of notices. */
const OWNERS_BYTES = 256 * 1024

/** Hears from the brokers what came: one question, open all the time, for everything that is watched. */
export class News {
  readonly owners = new Owners()
  readonly #topics: Topics
  readonly #clock: Clock
  readonly #watch: Wire
  readonly #read: Wire
  readonly #onError: (error: unknown) => void
  readonly #growth = new Set<Listener>()
  readonly #owning = new Set<Listener>()
  readonly #arrivals = new Map<number, { offset: number; readonly listener: Listener }>()
  readonly #closing = new AbortController()
  #tails: number[] | null = null
  #running: Promise<void> | null = null

  /** `watch` is for the open question alone; `read` for all else. */
  constructor(at: {
    readonly topics: Topics
    readonly clock: Clock
    readonly watch: Wire
    readonly read: Wire
    readonly onError: (error: unknown) => void
  }) {
    this.#topics = at.topics
    this.#clock = at.clock
    this.#watch = at.watch
    this.#read = at.read
    this.#onError = at.onError
  }

  onGrowth(listener: Listener): () => void {
    return this.#add(this.#growth, listener)
  }

  onOwners(listener: Listener): () => void {
    return this.#add(this.#owning, listener)
  }

  /** Calls back when the partition's inbox holds something at or behind the offset, and again when more came. */
  onArrival(partition: number, offset: number, listener: Listener): () => void {
    const watched = { offset, listener }
    this.#arrivals.set(partition, watched)
    this.#start()
    return () => {
      if (this.#arrivals.get(partition) === watched) this.#arrivals.delete(partition)
    }
  }

  /** Reads the owners' topic to its end. */
  async catchUp(): Promise<void> {
    for (;;) {
      const [slice] = await this.#read
        .fetch([this.#ownersPlace()], { waitMs: 0, bytes: OWNERS_BYTES })
        .catch((error: unknown) => {
          this.#rewindIfGone(error)
          throw error
        })
      if (slice === undefined || !this.#readOwners(slice)) return
    }
  }

  async close(): Promise<void> {
    this.#closing.abort()
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

  async #run(): Promise<void> {
    while (!this.#closing.signal.aborted) {
      try {
        this.#tails ??= await this.#findTails()
        const slices = await this.#watch.fetch(this.#places(), { waitMs: WAIT_MS, bytes: 1 })
        if (!this.#closing.signal.aborted) this.#spread(slices)
      } catch (error) {
        if (this.#closing.signal.aborted) return
        this.#onError(error)
        this.#rewindIfGone(error)
        this.#tails = null
        await this.#clock.sleep(AFTER_ERROR_MS, this.#closing.signal)
        // What was missed meanwhile is found by a look.
        for (const listener of [...this.#growth, ...this.#owning]) listener()
      }
    }
  }

  /** The owners' topic lost its tail, or was made anew: it is read from its beginning. */
  #rewindIfGone(error: unknown): void {
    if (isOutOfRange(error)) this.owners.next = 0
  }

  /** Where to watch from, at the start and after an error; an inbox that lost its tail is watched from its end. */
  async #findTails(): Promise<number[]> {
    const [journal, inbox] = await Promise.all([
      this.#watch.bounds(this.#topics.journal),
      this.#watch.bounds(this.#topics.inbox),
    ])
    for (const [partition, watched] of this.#arrivals) {
      const { start = 0, end = 0 } = inbox[partition] ?? {}
      watched.offset = Math.max(start, Math.min(watched.offset, end))
    }
    return journal.map(({ end }) => end)
  }

  #ownersPlace(): Place {
    return { topic: this.#topics.owners, partition: 0, offset: this.owners.next }
  }

  #places(): Place[] {
    const { inbox, journal } = this.#topics
    const tails = this.#growth.size > 0 ? (this.#tails ?? []) : []
    return [
      this.#ownersPlace(),
      ...tails.map((offset, partition) => ({ topic: journal, partition, offset })),
      ...[...this.#arrivals].map(([partition, { offset }]) => ({ topic: inbox, partition, offset })),
    ]
  }

  #spread(slices: readonly Slice[]): void {
    const { inbox, journal, owners } = this.#topics
    for (const slice of slices) {
      if (slice.topic === owners && this.#readOwners(slice)) for (const listener of this.#owning) listener()
      const arrival = slice.topic === inbox ? this.#arrivals.get(slice.partition) : undefined
      if (arrival !== undefined && slice.end > arrival.offset) {
        arrival.offset = slice.end
        arrival.listener()
      }
    }
    const grown = slices.filter(
      ({ topic, partition, end }) => topic === journal && end > (this.#tails?.[partition] ?? Number.POSITIVE_INFINITY),
    )
    for (const { partition, end } of grown) if (this.#tails !== null) this.#tails[partition] = end
    if (grown.length > 0) for (const listener of this.#growth) listener()
  }

  /** Whether there was something. */
  #readOwners(slice: Slice): boolean {
    const before = this.owners.next
    for (const record of slice.records) this.owners.apply(record)
    return this.owners.next > before
  }
}
