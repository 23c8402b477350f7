import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startEngine } from '../../bench/support/engine.ts'
import { bridgeTasks } from '../../src/adapters/redis/bridge.ts'
import { type Argument, openConnection, type RedisConnection } from '../../src/adapters/redis/connection.ts'
import { openRedisLog } from '../../src/adapters/redis/event-log.ts'
import { realClock } from '../support/clock.ts'
import { quietEnvironment } from '../support/environment.ts'
import { eventually } from '../support/eventually.ts'
import { hasRedis, type RedisServer, startRedis } from '../support/redis-server.ts'

/** What hosted Redis takes in one request, on its smaller plans. */
const REQUEST_BYTES_MAX = 1024 * 1024
const TASKS = 500
const LIST = 'wearon:tasks:generation'

/** As many pictures as a task may name, under signed URLs as long as they come. */
const largeTask = () =>
  JSON.stringify({
    task_id: randomUUID(),
    channel: 'b2c',
    user_id: randomUUID(),
    session_id: randomUUID(),
    image_urls: Array.from({ length: 10 }, (_, nth) => `https://images.example/${nth}.jpg?token=${'t'.repeat(400)}`),
    prompt: 'p'.repeat(500),
    request_id: `req_${randomUUID()}`,
    version: 1,
    created_at: new Date().toISOString(),
  })

describe.runIf(hasRedis)('a Redis that takes no large request', () => {
  let server: RedisServer
  let connection: RedisConnection

  beforeAll(async () => {
    server = await startRedis()
    connection = await openConnection({ url: server.url, onWarning: () => undefined })
  })
  afterAll(async () => {
    await connection.close()
    await server.stop()
  })

  it("works off a backlog of the largest tasks from the producers' list", async () => {
    const redis = limited(connection)
    const log = await openRedisLog({ redis, partitions: 1, clock: realClock, newId: randomUUID })
    for (let sent = 0; sent < TASKS; sent += 20) server.cli('lpush', LIST, ...Array.from({ length: 20 }, largeTask))
    const stop = new AbortController()
    const bridge = bridgeTasks({ redis, log, env: quietEnvironment(realClock) }, () => undefined, stop.signal)
    await eventually(() => expect(server.cli('llen', LIST).trim()).toBe('0'))
    const engine = startEngine({ log })
    const closed = new Set<string>()
    engine.onCommit(({ tombstones }) => {
      for (const { id } of tombstones) closed.add(id)
    })
    await eventually(() => expect(closed.size).toBe(TASKS))
    stop.abort()
    await bridge
    await engine.stop()
    await log.close()
  })
})

const limited = (redis: RedisConnection): RedisConnection => {
  const check = (keys: readonly string[], args: readonly Argument[]) => {
    const bytes = [...keys, ...args].reduce<number>(
      (sum, one) => sum + Buffer.byteLength(Buffer.isBuffer(one) ? one : `${one}`),
      0,
    )
    if (bytes <= REQUEST_BYTES_MAX) return
    const error = new Error(`ERR max request size exceeded. Limit: ${REQUEST_BYTES_MAX} bytes, Actual: ${bytes} bytes`)
    throw Object.assign(error, { name: 'ReplyError' })
  }
  return {
    ...redis,
    run: async (script, keys, args) => {
      check(keys, args)
      return redis.run(script, keys, args)
    },
    runForBytes: async (script, keys, args) => {
      check(keys, args)
      return redis.runForBytes(script, keys, args)
    },
  }
}
