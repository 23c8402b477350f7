import { randomUUID } from 'node:crypto'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { openConnection, type RedisConnection } from '../../src/adapters/redis/connection.ts'
import { openRedisLog } from '../../src/adapters/redis/event-log.ts'
import { CARRIED_BYTES_MAX } from '../../src/adapters/redis/told.ts'
import type { EventLog, PartitionLease } from '../../src/machines/ports/event-log.ts'
import { realClock } from '../support/clock.ts'
import { eventually } from '../support/eventually.ts'
import { commitOf, message, nextStep, sessionId, snapshot, tombstone } from '../support/log-samples.ts'
import { type LogWorker, startWorker } from '../support/log-worker.ts'
import { hasRedis, type RedisServer, startRedis } from '../support/redis-server.ts'

const PLENTY = { messages: 1_000, bytes: 10_000_000 }
const taskFor = (session: string, more = {}) => JSON.stringify({ session_id: session, ...more })

describe.runIf(hasRedis)('news that carry their message', () => {
  let server: RedisServer
  let redis: RedisConnection
  let log: EventLog
  let worker: LogWorker
  let lease: PartitionLease
  /** The scripts that were run, by name. */
  let ran: string[]
  /** Nothing is taken from the server until it resolves. */
  let holding: PromiseWithResolvers<void>

  beforeAll(async () => {
    server = await startRedis()
  })
  afterAll(() => server.stop())
  beforeEach(async () => {
    const connection = await openConnection({ url: server.url, onWarning: () => undefined })
    ran = []
    holding = Promise.withResolvers()
    holding.resolve()
    const note = async (script: string) => {
      ran.push(script)
      if (script === 'take') await holding.promise
    }
    redis = {
      ...connection,
      run: (script, keys, args) => note(script).then(() => connection.run(script, keys, args)),
      runForBytes: (script, keys, args) => note(script).then(() => connection.runForBytes(script, keys, args)),
    }
    log = await openRedisLog({ redis, partitions: 1, clock: realClock, newId: randomUUID, prefix: randomUUID() })
    worker = startWorker(log)
    lease = await eventually(() => worker.lease(0))
    // What lay there before was looked for once.
    await lease.take(PLENTY)
  })
  afterEach(async () => {
    await worker.stop()
    await log.close()
    await redis.close()
  })

  /** Publishes them and waits until the owner has heard of it. */
  const publishHeard = async (texts: readonly string[]) => {
    let heard = false
    lease.onArrival(() => {
      heard = true
    })
    await log.publish(texts.map((text) => message(0, text)))
    await eventually(() => expect(heard).toBe(true))
  }

  /** Publishes them, hears of it, takes them, and answers how often the server was asked for that. */
  const asksFor = async (texts: readonly string[]) => {
    await publishHeard(texts)
    ran = []
    const taken = await lease.take(PLENTY)
    expect(taken.map(({ bytes }) => Buffer.from(bytes).toString())).toEqual(texts)
    return ran.filter((script) => script === 'take').length
  }

  it('spare the owner to ask for a small one that is alone and new, with every character of it', async () => {
    const id = sessionId()
    const task = taskFor(id, { prompt: 'two  spaces,\u0000 and "quotes"' }).replace(',', ',\n\t ')
    expect(await asksFor([task])).toBe(0)
    ran = []
    expect(await lease.load([id])).toEqual(new Map())
    expect(ran).toEqual([])
  })

  it.each([
    ['another one lies there', () => [taskFor(sessionId()), taskFor(sessionId())]],
    ['it names no session', () => ['{"session_id": 7}']],
    ['it is not ASCII', () => [taskFor(sessionId(), { prompt: 'grün' })]],
    ['it is large', () => [taskFor(sessionId(), { prompt: 'p'.repeat(CARRIED_BYTES_MAX) })]],
  ])('do not, where %s', async (_, texts) => {
    expect(await asksFor(texts())).toBe(1)
  })

  it.each(['open', 'closed'])('do not for a session that is %s', async (is) => {
    const id = sessionId()
    const kept = is === 'open' ? { snapshots: [snapshot(id)] } : { tombstones: [tombstone(id)] }
    await lease.commit(commitOf({ step: nextStep(lease, null), ...kept }))
    expect(await asksFor([taskFor(id)])).toBe(1)
    expect((await lease.load([id])).get(id)).toEqual(is === 'open' ? snapshot(id) : tombstone(id))
  })

  it('do not once more has arrived behind it', async () => {
    const texts = [taskFor(sessionId()), taskFor(sessionId())]
    for (const text of texts) await publishHeard([text])
    const taken = await lease.take(PLENTY)
    expect(taken.map(({ bytes }) => Buffer.from(bytes).toString())).toEqual(texts)
  })

  it('are forgotten when their message was read meanwhile', async () => {
    await worker.stop()
    worker = startWorker(log)
    lease = await eventually(() => worker.lease(0))
    holding = Promise.withResolvers()
    const reading = lease.take(PLENTY)
    await publishHeard([taskFor(sessionId())])
    holding.resolve()
    const [task] = await reading
    // A task that is not wanted moves the inbox without a step.
    await lease.commit(commitOf({ inbox: task?.position ?? null }))
    expect(await lease.take(PLENTY)).toEqual([])
  })

  it('are not believed once a commit has moved what they speak of', async () => {
    const id = sessionId()
    await publishHeard([taskFor(id)])
    await lease.commit(commitOf({ step: nextStep(lease, null), snapshots: [snapshot(id)] }))
    ran = []
    expect(await lease.take(PLENTY)).toHaveLength(1)
    expect(ran).toEqual(['take'])
    expect((await lease.load([id])).get(id)).toEqual(snapshot(id))
  })
})
