import { z } from 'zod'
import type { Environment } from '../machines/ports/environment.ts'
import type { Queries, StateCount } from '../projections/queries.ts'
import { ofService } from './access.ts'
import type { EventStream } from './event-stream.ts'
import type { FactFeed } from './fact-feed.ts'
import type { HttpParts } from './parts.ts'
import { reach } from './problem.ts'
import { type Route, route } from './route.ts'

/** How often those who watch are told at most, ms: as fast as a person reads. */
const TICK_MS = 500
/** Of the database's time, counting takes at most a part in so many: where it takes long, it is done more rarely. */
const SHARE = 20
/** After a count that failed, ms. */
const RETRY_MS = 5_000
/** Without any fact they are counted anew all the same, ms: the tables follow the facts some time later. */
const SETTLED_MS = 2_000

const CensusAnswer = z.strictObject({
  states: z.record(z.string(), z.int().nonnegative()),
})

/** How many sessions stand where, for whoever watches. */
export const censusRoutes = (parts: HttpParts, feed: FactFeed): Route[] => {
  const census = new Census(parts.queries, feed, parts.env)
  return [
    route({
      method: 'get',
      path: '/v1/census',
      title: "How many sessions stand in each of the machine's states",
      access: ofService('read'),
      answer: CensusAnswer,
      handle: async () => ({ status: 200, body: { states: byState(await reach(parts.queries.census())) } }),
    }),
    route({
      method: 'get',
      path: '/v1/census/events',
      title:
        'The same as server-sent events, twice a second at most, with the facts that moved sessions since the last',
      access: ofService('read'),
      handle: async () => {
        await reach(census.states())
        return { status: 200, stream: (stream) => census.feed(stream) }
      },
    }),
  ]
}

type ByState = Record<string, number>

interface Count {
  readonly atMs: number
  /** 0 while it is being counted. */
  readonly tookMs: number
  readonly states: Promise<ByState>
}

/** One count for all who watch, taken anew after facts came. Nobody watches: nothing is counted. */
class Census {
  readonly #queries: Pick<Queries, 'census'>
  readonly #feed: FactFeed
  readonly #env: Pick<Environment, 'clock' | 'logger'>
  #count: Count | null = null

  constructor(queries: Pick<Queries, 'census'>, feed: FactFeed, env: Pick<Environment, 'clock' | 'logger'>) {
    this.#queries = queries
    this.#feed = feed
    this.#env = env
  }

  /** As they stood lately: how long a count stands follows from what it cost. Rejects when they cannot be counted. */
  states(): Promise<ByState> {
    const { clock } = this.#env
    const known = this.#count
    if (known !== null && clock.now() - known.atMs < Math.max(TICK_MS, known.tookMs * SHARE)) return known.states
    const atMs = clock.now()
    const states = this.#queries.census().then(byState)
    this.#count = { atMs, tookMs: 0, states }
    states.then(
      () => (this.#count = { atMs, tookMs: clock.now() - atMs, states }),
      (error: unknown) => {
        this.#env.logger.warn({ error }, 'sessions could not be counted for those who watch')
        this.#count = { atMs, tookMs: RETRY_MS / SHARE, states }
      },
    )
    return states
  }

  /** Tells one who watches, until it leaves. */
  async feed(stream: EventStream): Promise<void> {
    const { clock } = this.#env
    const moves = new Moves()
    await this.#feed.follow(null, ({ fact }) => moves.add(fact.type, clock.now()), stream.closed)
    let states: ByState = {}
    let told = ''
    for (let number = 1; !stream.closed.aborted; number++) {
      const isDue = told === '' || (this.#count?.atMs ?? 0) < moves.lastMs + SETTLED_MS
      if (isDue) states = await this.#lately(states)
      const moved = moves.take()
      const now = JSON.stringify(states)
      if (now !== told || Object.keys(moved).length > 0) {
        stream.send(number, `{"states":${now},"moved":${JSON.stringify(moved)}}`)
      }
      told = now
      await stream.roomy()
      await clock.sleep(TICK_MS, stream.closed)
    }
  }

  /** A database that does not answer ends no stream: the last count stands. */
  async #lately(known: ByState): Promise<ByState> {
    try {
      return await this.states()
    } catch {
      // Logged, once for all who watch.
      return known
    }
  }
}

/** Facts that came since somebody was last told, by type. */
class Moves {
  #counts: Record<string, number> = {}
  lastMs = -Infinity

  add(type: string, nowMs: number): void {
    this.#counts[type] = (this.#counts[type] ?? 0) + 1
    this.lastMs = nowMs
  }

  take(): Record<string, number> {
    const counts = this.#counts
    this.#counts = {}
    return counts
  }
}

const byState = (counts: readonly StateCount[]): ByState =>
  Object.fromEntries(counts.map(({ state, count }) => [state, count]))
