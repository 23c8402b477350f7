import { randomUUID } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { memoryLog } from '../../src/adapters/memory/event-log.ts'
import { memoryGenerator } from '../../src/adapters/memory/generator.ts'
import { memoryObjects } from '../../src/adapters/memory/objects.ts'
import { migrate } from '../../src/adapters/postgres/migrate.ts'
import { openServer } from '../../src/adapters/postgres/server.ts'
import type { Sql } from '../../src/adapters/postgres/sql.ts'
import { encodeAsk, OUR_SOURCE } from '../../src/events/command.ts'
import type { SessionId } from '../../src/events/ids.ts'
import type { Owner } from '../../src/events/owner.ts'
import type { TaskSource } from '../../src/events/task.ts'
import { sessionTable } from '../../src/machines/compile.ts'
import { generate } from '../../src/machines/effects/generate.ts'
import { refund } from '../../src/machines/effects/refund.ts'
import { defaultPolicy } from '../../src/machines/policy.ts'
import type { EventLog } from '../../src/machines/ports/event-log.ts'
import { EffectPool } from '../../src/machines/runtime/effect-pool.ts'
import { RateShare } from '../../src/machines/runtime/rate-share.ts'
import { Worker } from '../../src/machines/runtime/worker.ts'
import { archiveJournals } from '../../src/projections/archive.ts'
import type { BookClass } from '../../src/projections/books.ts'
import type { Charge } from '../../src/projections/producer.ts'
import { project } from '../../src/projections/project.ts'
import { refunds } from '../../src/projections/refunds.ts'
import { ownerId, sessions } from '../../src/projections/sessions.ts'
import type { Store } from '../../src/projections/store.ts'
import { realClock } from '../support/clock.ts'
import { eventually } from '../support/eventually.ts'
import { hasPostgres, type PostgresServer, startPostgres } from '../support/postgres-server.ts'
import { sqlStoreWorld } from '../support/sql-store-world.ts'
import { newStore, newUser, order, type StoreWorld } from '../support/store-world.ts'

/** A refund that fails once is escalated at once, and tried again only when an operator asks. */
const policy = {
  ...defaultPolicy,
  refund: { ...defaultPolicy.refund, escalateAfterMs: 0, escalatedEveryMs: 3_600_000 },
}

interface Case {
  readonly what: string
  readonly owner: () => Owner
  readonly charge?: Charge
  /** What the platform does after the producer's order and before the task comes. */
  readonly before?: (world: StoreWorld, session: SessionId, owner: Owner) => Promise<void>
  /** What it does while the image is being made. */
  readonly meanwhile?: (world: StoreWorld, session: SessionId, owner: Owner) => Promise<void>
  readonly last: string
  readonly row: object | null
  /** Of 10 credits, after the session's one; null without an account. */
  readonly balance: number | null
  readonly refunds: number
  readonly class: BookClass
}

const failPush: Case['before'] = (world, session) => world.play.failPush(session)
const midnight: Case['before'] = async (world, session) => {
  await world.age(session, 11 * 60_000)
  await world.play.midnight()
}
const refunded = { last: 'refund.issued', balance: 10, refunds: 1, class: 'matched' } as const
const failedWith = (errorMessage: string) => ({ status: 'failed', state: 'refunded', errorMessage })
const completed = { status: 'completed', state: 'completed', errorMessage: null }

/** CONTRACT section 2, "The platform writes these rows too": each with the state and the credit in which it must end. */
const cases: readonly Case[] = [
  {
    what: 'does nothing',
    owner: newUser,
    last: 'generation.completed',
    row: completed,
    balance: 9,
    refunds: 0,
    class: 'matched',
  },
  {
    what: "fails a user's push whose task came all the same",
    owner: newUser,
    before: failPush,
    ...refunded,
    row: failedWith('Failed to queue job'),
  },
  {
    what: "fails a store's push whose task came all the same",
    owner: newStore,
    before: failPush,
    ...refunded,
    row: failedWith('Failed to queue generation task'),
  },
  {
    what: 'gives a stuck job back at midnight',
    owner: newUser,
    before: midnight,
    ...refunded,
    row: failedWith('Generation timed out'),
  },
  {
    what: 'gives a stuck job back at midnight while its image is made',
    owner: newUser,
    meanwhile: midnight,
    ...refunded,
    row: failedWith('Generation timed out'),
  },
  {
    what: 'lets a store uninstall',
    owner: newStore,
    before: (world, _, owner) => world.play.uninstall(ownerId(owner)),
    ...refunded,
    row: failedWith('Store uninstalled'),
  },
  {
    what: 'lets a store uninstall whose shopper paid',
    owner: newStore,
    charge: 'shopper',
    before: (world, _, owner) => world.play.uninstall(ownerId(owner)),
    ...refunded,
    row: failedWith('Store uninstalled'),
  },
  ...[newUser, newStore].map(
    (owner): Case => ({
      what: `deletes the ${owner === newUser ? 'user' : 'store'}`,
      owner,
      before: (world, _, { ...of }) => world.play.remove(ownerId(of)),
      last: 'refund.waived',
      row: null,
      balance: null,
      refunds: 0,
      class: 'account_gone',
    }),
  ),
]

describe.runIf(hasPostgres)('when the platform', () => {
  /** Whole milliseconds: the memory log's epochs are times, and the database keeps them as numbers without a fraction. */
  const clock = { ...realClock, now: () => Math.floor(realClock.now()) }
  const stop = new AbortController()
  const errors: object[] = []
  let held = Promise.resolve()
  let server: PostgresServer
  let sql: Sql
  let world: StoreWorld
  let store: Store
  let log: EventLog
  let running: Promise<unknown>

  beforeAll(async () => {
    server = await startPostgres()
    const url = await server.database()
    sql = openServer({ url })
    await sql.script(await readFile(join(import.meta.dirname, '../fixtures/platform.sql'), 'utf8'))
    await migrate(sql)
    world = sqlStoreWorld(
      () => sql,
      async () => {},
    )
    store = world.open()
    const silent = () => {}
    const env = {
      clock,
      meter: { count: silent, observe: silent, gauge: silent },
      logger: {
        info: silent,
        warn: silent,
        error: (fields: object, message: string) => errors.push({ ...fields, message }),
      },
      newId: randomUUID,
      random: () => 0.5,
    }
    log = memoryLog({ partitions: 1, clock, newId: () => env.newId() })
    const generator = memoryGenerator({ script: () => held.then(() => 'image' as const) })
    const pictures = { fetch: async () => [] }
    const rate = new RateShare(null, clock)
    const objects = memoryObjects(() => clock.now())
    const worker = new Worker(
      {
        env,
        table: sessionTable,
        policy,
        log,
        history: store.history,
        effects: {
          generate: generate({ clock, platform: store.platform, pictures, generator, objects }),
          refund: refund(store.platform),
        },
        generations: new EffectPool(4, rate, clock),
        refunds: new EffectPool(4, rate, clock),
        drainMs: 0,
      },
      rate,
    )
    const options = { environment: env, signal: stop.signal, pollMs: 20 }
    running = Promise.all([
      worker.run(() => {}, stop.signal),
      archiveJournals(log, store.archive, options),
      project(sessions, store, options),
      project(refunds, store, options),
    ])
  }, 30_000)
  afterAll(async () => {
    stop.abort()
    await running
    await world.close()
    await sql.close()
    await server.stop()
  })

  const publish = (bytes: Uint8Array, source: TaskSource = 'list') => log.publish([{ partition: 0, bytes, source }])
  const taskOf = ({ sessionId, owner, requestId, imageUrls, prompt }: ReturnType<typeof order>) => {
    const { channel } = owner
    const account = channel === 'b2b' ? { store_id: owner.storeId } : { user_id: owner.userId }
    const created_at = new Date().toISOString()
    const rest = { image_urls: imageUrls, prompt, request_id: requestId, created_at }
    return Buffer.from(JSON.stringify({ task_id: randomUUID(), channel, ...account, session_id: sessionId, ...rest }))
  }
  const typesOf = async (session: SessionId) => (await store.archive.session(session)).map(({ type }) => type)

  const hasStarted = (session: SessionId) =>
    eventually(async () => expect(await typesOf(session)).toContain('generation.started'))

  it.each(cases)('$what, the session ends in the right state with the right credit', async (one) => {
    const owner = one.owner()
    const placed = order(owner, one.charge)
    const { sessionId } = placed
    await world.producer.order(placed)
    await one.before?.(world, sessionId, owner)
    const hold = Promise.withResolvers<void>()
    held = hold.promise
    await publish(taskOf(placed))
    if (one.meanwhile) {
      await hasStarted(sessionId)
      await one.meanwhile(world, sessionId, owner)
    }
    hold.resolve()
    await eventually(async () => {
      expect((await typesOf(sessionId)).at(-1)).toBe(one.last)
      const { items } = await store.queries.bookLines({ class: one.class, session: sessionId, limit: 1 })
      expect(items).toMatchObject([{ sessionId, class: one.class }])
      expect({ row: await world.row(sessionId) }).toMatchObject({ row: one.row })
    })
    const email = one.charge === 'shopper' ? placed.shopperEmail : undefined
    expect(await world.balance(owner, email)).toBe(one.balance ?? Number.NaN)
    expect(await world.refunds(owner)).toHaveLength(one.refunds)
  })

  it('has no balance row to pay into, the refund is escalated, said so, and settled by hand', async () => {
    const user = newUser()
    const placed = order(user)
    await world.producer.order(placed)
    await world.play.edit(placed.sessionId, 'failed')
    await world.dropBalance(user)
    await publish(taskOf(placed))
    const endsWith = (type: string) =>
      eventually(async () => expect((await typesOf(placed.sessionId)).at(-1)).toBe(type))
    await endsWith('refund.escalated')
    expect(errors).toContainEqual({ sessionId: placed.sessionId, message: 'a refund is owed for too long: see to it' })
    const by = { role: 'operator', name: 'ada' } as const
    const { sessionId } = placed
    await publish(
      encodeAsk({ command: 'refund.settle', sessionId, by, how: 'paid_outside', why: 'the bank did it' }),
      OUR_SOURCE,
    )
    await endsWith('refund.settled')
    await publish(encodeAsk({ command: 'refund.retry', sessionId, by }), OUR_SOURCE)
    const story = await eventually(async () => {
      const found = await store.queries.refundStory(sessionId)
      expect(found?.refund?.state).toBe('settled')
      return found
    })
    expect(story).toMatchObject({
      decision: { kind: 'settled' },
      refund: { settlement: { by: 'ada', how: 'paid_outside' } },
    })
    expect(await world.refunds(user)).toEqual([])
  })
})
