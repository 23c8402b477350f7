import { randomUUID } from 'node:crypto'
import { setTimeout as realSleep } from 'node:timers/promises'
import { memoryLog } from '../../src/adapters/memory/event-log.ts'
import { transactionsOf } from '../../src/adapters/memory/ledger.ts'
import { memoryObjects } from '../../src/adapters/memory/objects.ts'
import { openMemoryStore } from '../../src/adapters/memory/store.ts'
import { emptyStoreState } from '../../src/adapters/memory/store-state.ts'
import { openaiGenerator } from '../../src/adapters/openai/generator.ts'
import type { Fact } from '../../src/events/fact.ts'
import { SessionId, UserId } from '../../src/events/ids.ts'
import { sessionTable } from '../../src/machines/compile.ts'
import { generate } from '../../src/machines/effects/generate.ts'
import { refund } from '../../src/machines/effects/refund.ts'
import { defaultPolicy } from '../../src/machines/policy.ts'
import type { Environment } from '../../src/machines/ports/environment.ts'
import type { Generator } from '../../src/machines/ports/generator.ts'
import { both } from '../../src/machines/runtime/both.ts'
import { EffectPool } from '../../src/machines/runtime/effect-pool.ts'
import { RateShare } from '../../src/machines/runtime/rate-share.ts'
import { Worker } from '../../src/machines/runtime/worker.ts'
import { drawGarment, drawPerson } from '../../src/pictures/draw.ts'
import { quietEnvironment } from './environment.ts'
import type { OpenaiServer } from './openai-server.ts'
import { VirtualClock } from './virtual-clock.ts'

const REQUESTS_PER_MINUTE = 300
/** Real time that the wire may take for one request, at the very most. */
const WIRE_MS_MAX = 10_000
const WIRE_LOOK_MS = 1
const STEPS_MAX = 10_000
const ENDS: ReadonlySet<string> = new Set(['generation.completed', 'refund.issued', 'refund.waived'])

export const CONTRACT_IMAGE = { model: 'gpt-image-1.5', size: '1024x1536', quality: 'medium' }
export const CONTRACT_PRICES = { textIn: 5, imageIn: 8, textOut: 10, imageOut: 32 }

export interface World {
  readonly clock: VirtualClock
  readonly objects: ReturnType<typeof memoryObjects>
  /** What was logged, every level, and what was counted or gauged last by name and labels. */
  readonly logged: readonly object[]
  readonly metrics: ReadonlyMap<string, number>
  /** Charges a user, writes the row and pushes the task. */
  order(prompt?: string): Promise<SessionId>
  facts(session: SessionId): Promise<Fact[]>
  /** Lets the world go on, on the wire and on the clock, until this holds. */
  until(holds: () => Promise<boolean> | boolean, withinMs?: number): Promise<void>
  /** Until every session has come to its end. */
  ended(): Promise<void>
  /** What is left of the one credit that the session's user began with: 1 when it was given back. */
  refunds(session: SessionId): number
  close(): Promise<void>
}

export interface WorldOptions {
  readonly server: OpenaiServer
  /** Where the provider is looked for; the server's own address when absent. */
  readonly baseUrl?: string
  readonly apiKey?: string
  readonly concurrency?: number
  /** How long the pictures of the first session take, of the second and so on; none when absent. */
  readonly slowPicturesMs?: readonly number[]
}

const drawn = Promise.all([drawPerson(1), drawGarment(2)])

/** A whole worker on memory and a virtual clock, with the generator on a real wire to the double. */
export const openWorld = async ({ server, concurrency = 4, ...options }: WorldOptions): Promise<World> => {
  const clock = new VirtualClock()
  const { env, logged, metrics } = recorded(clock)
  const log = memoryLog({ partitions: 1, clock, newId: () => env.newId() })
  const state = emptyStoreState()
  const store = openMemoryStore(state, { clock, rowsOwner: 'platform' })
  const objects = memoryObjects(() => clock.now())
  const openai = openaiGenerator({
    apiKey: options.apiKey ?? server.apiKey,
    baseUrl: options.baseUrl ?? server.url,
    image: CONTRACT_IMAGE,
    prices: CONTRACT_PRICES,
    requestsPerMinute: REQUESTS_PER_MINUTE,
    env,
  })
  const wire = { busy: 0 }
  const generator = watched(openai, wire)
  // Before any time passes: drawing takes real time.
  const ready = await drawn
  const delaysMs = [...(options.slowPicturesMs ?? [])]
  const pictures = {
    fetch: async () => {
      await clock.sleep(delaysMs.shift() ?? 0)
      return ready
    },
  }
  const rate = new RateShare(generator.requestsPerMinute, clock)
  const worker = new Worker(
    {
      env,
      table: sessionTable,
      policy: defaultPolicy,
      log,
      history: store.history,
      effects: {
        generate: generate({ clock, platform: store.platform, pictures, generator, objects }),
        refund: refund(store.platform),
      },
      generations: new EffectPool(concurrency, both(generator.gate, rate), clock),
      refunds: new EffectPool(concurrency, new RateShare(null, clock), clock),
      drainMs: 0,
    },
    rate,
  )
  const stop = new AbortController()
  const running = worker.run(() => {}, stop.signal)
  const owners = new Map<SessionId, UserId>()

  const allFacts = async () => (await log.journal(new Map([[0, 0]]), STEPS_MAX)).flatMap(({ facts }) => facts)
  const factsOf = async (session: SessionId) => (await allFacts()).filter((fact) => fact.sessionId === session)
  const areEnded = async () => {
    const last = new Map((await allFacts()).map(({ sessionId, type }) => [sessionId, type]))
    return [...owners.keys()].every((session) => ENDS.has(last.get(session) ?? 'none'))
  }
  const until: World['until'] = async (holds, withinMs = 2 * 3_600_000) => {
    const end = clock.now() + withinMs
    while (!(await holds())) {
      await wireRests(wire, server)
      if (clock.now() > end) throw new Error(`not within ${withinMs} ms`)
      if (await holds()) return
      await clock.advance(Math.max(0, clock.nextMs))
    }
  }

  return {
    clock,
    objects,
    logged,
    metrics,
    order: async (prompt = '') => {
      const sessionId = SessionId.parse(randomUUID())
      const userId = UserId.parse(randomUUID())
      owners.set(sessionId, userId)
      const owner = { channel: 'b2c', userId } as const
      const requestId = `req_${sessionId}`
      await store.producer.order({ sessionId, owner, requestId, imageUrls: [], prompt, charge: 'account' })
      const bytes = taskOf(sessionId, userId, prompt, clock)
      await log.publish([{ partition: 0, bytes, source: 'list' }])
      return sessionId
    },
    facts: factsOf,
    until,
    ended: () => until(areEnded),
    refunds: (session) =>
      transactionsOf(state.ledger, owners.get(session) ?? '').filter(({ type }) => type === 'refund').length,
    close: async () => {
      stop.abort()
      await clock.advance(10_000)
      await running
    },
  }
}

/** Nothing is under way but what the double holds on purpose: only then may time pass. */
const wireRests = async (wire: { busy: number }, server: OpenaiServer): Promise<void> => {
  const end = performance.now() + WIRE_MS_MAX
  while (wire.busy !== server.held) {
    if (performance.now() > end) throw new Error(`the wire does not rest: ${wire.busy} calls, ${server.held} held`)
    await realSleep(WIRE_LOOK_MS)
  }
}

const watched = (generator: Generator, wire: { busy: number }): Generator => ({
  ...generator,
  generate: async (request, signal) => {
    wire.busy += 1
    try {
      return await generator.generate(request, signal)
    } finally {
      wire.busy -= 1
    }
  },
})

const recorded = (clock: VirtualClock) => {
  const logged: object[] = []
  const metrics = new Map<string, number>()
  const keyOf = (name: string, labels: Readonly<Record<string, string>> = {}) =>
    [name, ...Object.values(labels)].join(' ')
  const log = (fields: object, message: string) => void logged.push({ ...fields, message })
  const env: Environment = {
    ...quietEnvironment(clock),
    logger: { info: log, warn: log, error: log },
    meter: {
      count: (name, labels, by = 1) =>
        void metrics.set(keyOf(name, labels), (metrics.get(keyOf(name, labels)) ?? 0) + by),
      gauge: (name, value, labels) => void metrics.set(keyOf(name, labels), value),
      observe: () => {},
    },
  }
  return { env, logged, metrics }
}

const taskOf = (sessionId: SessionId, userId: UserId, prompt: string, clock: VirtualClock): Uint8Array =>
  Buffer.from(
    JSON.stringify({
      task_id: `task of ${sessionId}`,
      channel: 'b2c',
      user_id: userId,
      session_id: sessionId,
      image_urls: ['https://images.example/person.jpg', 'https://images.example/garment.jpg'],
      prompt,
      request_id: `req_${sessionId}`,
      version: 1,
      created_at: new Date(clock.now()).toISOString(),
    }),
  )
