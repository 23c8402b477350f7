import { type ChildProcess, spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { Redis } from 'ioredis'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { bridgeTasks, oldestWaiting } from '../../src/adapters/redis/bridge.ts'
import { openConnection, type RedisConnection } from '../../src/adapters/redis/connection.ts'
import { openRedisLog } from '../../src/adapters/redis/event-log.ts'
import { partitionOf, SessionId } from '../../src/events/ids.ts'
import type { EventLog } from '../../src/machines/ports/event-log.ts'
import { BRIDGE_PARTITIONS, BRIDGE_TTL_MS } from '../support/bridge-shape.ts'
import { realClock } from '../support/clock.ts'
import { quietEnvironment } from '../support/environment.ts'
import { eventually } from '../support/eventually.ts'
import { hasRedis, type RedisServer, startRedis } from '../support/redis-server.ts'

const LIST = 'wearon:tasks:generation'
const HOLDING = `{${LIST}}:holding:*`

/** Enough for several batches. */
const TASKS = 900

const taskOf = (session: string) => Buffer.from(JSON.stringify({ session_id: session, version: 1 }))
const anyTasks = (count: number) => Array.from({ length: count }, () => taskOf(randomUUID()))

describe.runIf(hasRedis)('the bridge', () => {
  let server: RedisServer
  let producer: Redis
  let redis: RedisConnection
  let log: EventLog
  let prefix: string
  const running: ChildProcess[] = []

  beforeAll(async () => {
    server = await startRedis()
    producer = new Redis(server.url)
    redis = await openConnection({ url: server.url, onWarning: () => undefined })
  })
  afterAll(async () => {
    producer.disconnect()
    await redis.close()
    await server.stop()
  })
  beforeEach(async () => {
    await producer.flushall()
    prefix = `test-${randomUUID()}`
    log = await openRedisLog({ redis, prefix, partitions: BRIDGE_PARTITIONS, clock: realClock, newId: randomUUID })
  })
  afterEach(async () => {
    for (const child of running.splice(0)) child.kill('SIGKILL')
    await log.close()
  })

  const bridge = (signal: AbortSignal) => {
    const env = { ...quietEnvironment(realClock), newId: randomUUID }
    return bridgeTasks({ redis, log, env, ttlMs: BRIDGE_TTL_MS }, () => {}, signal)
  }
  const inboxes = async (): Promise<Buffer[][]> => {
    const streams = Array.from({ length: BRIDGE_PARTITIONS }, (_, p) =>
      producer.xrangeBuffer(`${prefix}:{${p}}:inbox`, '-', '+'),
    )
    return (await Promise.all(streams)).map((entries) => entries.map(([, fields]) => fields[3] ?? Buffer.alloc(0)))
  }
  /** Every task that is in the inboxes, the list or a holding list, as base64. */
  const everywhere = async (): Promise<Set<string>> => {
    const lists = [LIST, ...(await producer.keys(HOLDING))]
    const listed = await Promise.all(lists.map((key) => producer.lrangeBuffer(key, 0, -1)))
    return new Set([...listed, ...(await inboxes())].flat().map((bytes) => bytes.toString('base64')))
  }
  const lost = async (tasks: readonly Buffer[]) => {
    const found = await everywhere()
    return tasks.filter((task) => !found.has(task.toString('base64'))).length
  }
  const atRest = async () => {
    expect(await producer.llen(LIST)).toBe(0)
    expect(await producer.keys(HOLDING)).toEqual([])
  }
  const launch = (killAt: string): ChildProcess => {
    const script = new URL('../processes/bridge.ts', import.meta.url).pathname
    const child = spawn(process.execPath, [script, server.url, prefix, killAt], { stdio: 'inherit' })
    running.push(child)
    return child
  }

  it('carries tasks to the inboxes of their sessions, in order, byte for byte, and touches nothing else', async () => {
    const sessions = Array.from({ length: TASKS }, () => SessionId.parse(randomUUID()))
    const odd = [Buffer.from([0, 255, 254, 10]), Buffer.from('no JSON'), Buffer.alloc(0)]
    await producer.set('someone-elses', 'value')
    await producer.lpush('wearon:tasks:other', 'task')
    await producer.lpush(LIST, ...sessions.map(taskOf), ...odd)
    const stop = new AbortController()
    const done = bridge(stop.signal)
    await eventually(atRest)
    stop.abort()
    await done
    const kept = (await inboxes()).flat().map((bytes) => bytes.toString('base64'))
    expect(kept).toHaveLength(TASKS + odd.length)
    expect(new Set(kept)).toEqual(new Set([...sessions.map(taskOf), ...odd].map((bytes) => bytes.toString('base64'))))
    const ofFirst = sessions.filter((session) => partitionOf(session, BRIDGE_PARTITIONS) === 0)
    const first = ((await inboxes())[0] ?? []).filter((bytes) => bytes.includes('session_id'))
    expect(first).toEqual(ofFirst.map(taskOf))
    const strangers = (await producer.keys('*')).filter((key) => !key.startsWith(`${prefix}:`))
    expect(strangers.toSorted()).toEqual(['someone-elses', 'wearon:tasks:other'])
  })

  it('leaves tasks in the list while it is held, and carries them once it is not', async () => {
    let isHeld = true
    let asked = 0
    const stop = new AbortController()
    const env = { ...quietEnvironment(realClock), newId: randomUUID }
    const held = () => {
      asked++
      return isHeld
    }
    const done = bridgeTasks({ redis, log, env, ttlMs: BRIDGE_TTL_MS, isHeld: held }, () => {}, stop.signal)
    const tasks = anyTasks(TASKS)
    await producer.lpush(LIST, ...tasks)
    const before = asked
    await eventually(async () => expect(asked).toBeGreaterThan(before + 2))
    expect(await producer.llen(LIST)).toBe(TASKS)
    isHeld = false
    await eventually(atRest)
    stop.abort()
    await done
    expect((await inboxes()).flat()).toHaveLength(TASKS)
  })

  for (const killAt of ['moved', 'published']) {
    it(`loses nothing when it is killed once a batch is ${killAt}, and the next bridge takes up what it held`, async () => {
      const tasks = anyTasks(TASKS)
      await producer.lpush(LIST, ...tasks)
      const child = launch(killAt)
      await new Promise((resolve) => child.once('exit', resolve))
      expect(child.signalCode).toBe('SIGKILL')
      expect(await producer.keys(HOLDING)).toHaveLength(1)
      expect(await lost(tasks)).toBe(0)
      const stop = new AbortController()
      const done = bridge(stop.signal)
      await eventually(atRest)
      stop.abort()
      await done
      expect(await lost(tasks)).toBe(0)
    })
  }

  it('loses nothing when bridges are killed at any moment while producers push', async () => {
    const tasks: Buffer[] = []
    for (let round = 0; round < 6; round++) {
      const more = anyTasks(TASKS)
      tasks.push(...more)
      const child = launch('never')
      const gone = new Promise((resolve) => child.once('exit', resolve))
      for (let from = 0; from < more.length; from += 100) await producer.lpush(LIST, ...more.slice(from, from + 100))
      // Its start takes about this long.
      await sleep(100 + Math.random() * 300)
      child.kill('SIGKILL')
      await gone
      expect(await lost(tasks)).toBe(0)
    }
    const stop = new AbortController()
    const done = bridge(stop.signal)
    await eventually(atRest)
    stop.abort()
    await done
    const kept = new Set((await inboxes()).flat().map((bytes) => bytes.toString('base64')))
    expect(tasks.filter((task) => !kept.has(task.toString('base64')))).toEqual([])
  })

  it('leaves a bridge that lives what it holds', async () => {
    const stop = new AbortController()
    const first = launch('never')
    const second = bridge(stop.signal)
    const tasks = anyTasks(TASKS)
    await producer.lpush(LIST, ...tasks)
    await eventually(atRest)
    await sleep(2 * BRIDGE_TTL_MS)
    stop.abort()
    await second
    first.kill('SIGKILL')
    expect((await inboxes()).flat()).toHaveLength(TASKS)
  })

  it('gives back what it holds when the log does not take it', async () => {
    const tasks = anyTasks(10)
    await producer.lpush(LIST, ...tasks)
    const full = { partitions: 3, publish: () => Promise.reject(new Error('OOM')) }
    const env = { ...quietEnvironment(realClock), newId: randomUUID }
    const failing = bridgeTasks({ redis, log: full, env }, () => {}, new AbortController().signal)
    await expect(failing).rejects.toThrow('OOM')
    expect(await producer.lrangeBuffer(LIST, 0, -1)).toEqual(tasks.toReversed())
    expect(await producer.keys(HOLDING)).toEqual([])
  })

  it('tells how long the oldest task has waited, in the list or in a holding list', async () => {
    const task = (created_at?: string) =>
      JSON.stringify({
        task_id: randomUUID(),
        channel: 'b2c',
        user_id: randomUUID(),
        session_id: randomUUID(),
        image_urls: ['https://images.example/a.jpg'],
        request_id: 'req_1',
        created_at,
      })
    expect(await oldestWaiting(redis)).toBeNull()
    await producer.lpush(LIST, task('2026-01-15T10:00:00Z'), task('2026-01-15T11:00:00Z'))
    expect(await oldestWaiting(redis)).toBe(Date.parse('2026-01-15T10:00:00Z'))
    await producer.sadd(`{${LIST}}:bridges`, 'other')
    await producer.lpush(`{${LIST}}:holding:other`, task('2026-01-15T09:00:00Z'))
    expect(await oldestWaiting(redis)).toBe(Date.parse('2026-01-15T09:00:00Z'))
    await producer.rpush(LIST, task())
    expect(await oldestWaiting(redis)).toBe(0)
  })
})
