import { afterAll, beforeAll, describe } from 'vitest'
import { eventLogContract } from '../contracts/event-log.ts'
import { journalReadersContract } from '../contracts/journal-readers.ts'
import { redisLogWorld } from '../support/redis-log-world.ts'
import {
  hasRedis,
  type RedisCluster,
  type RedisServer,
  startRedis,
  startRedisCluster,
} from '../support/redis-server.ts'

describe.runIf(hasRedis)('on one node', () => {
  let server: RedisServer

  beforeAll(async () => {
    server = await startRedis()
  })
  afterAll(() => server.stop())

  eventLogContract('redis', async (shape) => redisLogWorld(shape, server.url))
  journalReadersContract('redis', async (shape) => redisLogWorld(shape, server.url))
})

describe.runIf(hasRedis)('on a cluster of three nodes', () => {
  let cluster: RedisCluster

  beforeAll(async () => {
    cluster = await startRedisCluster()
  })
  afterAll(() => cluster.stop())

  eventLogContract('redis cluster', async (shape) => redisLogWorld(shape, cluster.url))
  journalReadersContract('redis cluster', async (shape) => redisLogWorld(shape, cluster.url))
})
