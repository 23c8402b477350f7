import { openConnection } from '../../src/adapters/redis/connection.ts'
import { openRedisLog } from '../../src/adapters/redis/event-log.ts'
import type { RedisServer } from '../../test/support/redis-server.ts'
import { benchEnvironment } from '../support/environment.ts'
import type { FreshLog } from './ours.ts'

export const PARTITIONS = 64

/** The log in Redis, as the program opens it. */
export const openOnRedis = async (url: string, partitions = PARTITIONS): Promise<FreshLog> => {
  const redis = await openConnection({ url, onWarning: () => {} })
  const { clock, newId } = benchEnvironment
  const log = await openRedisLog({ redis, partitions, clock, newId })
  return {
    log,
    close: async () => {
      await log.close()
      await redis.close()
    },
  }
}

/** The same after emptying the server. */
export const openEmptied = (server: RedisServer): Promise<FreshLog> => {
  server.cli('flushall')
  return openOnRedis(server.url)
}
