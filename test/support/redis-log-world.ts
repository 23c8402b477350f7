import { execFile } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { promisify } from 'node:util'
import { openConnection, type RedisConnection } from '../../src/adapters/redis/connection.ts'
import { openRedisLog } from '../../src/adapters/redis/event-log.ts'
import type { SHAPE } from '../contracts/event-log.ts'
import type { ReadersWorld } from '../contracts/journal-readers.ts'
import { freezable, realClock } from './clock.ts'
import { eventually } from './eventually.ts'

/** Short, so that a take-over does not keep a test waiting, and long enough for a machine that is busy. */
const LEASE_TTL_MS = 2_500

/** A log under keys of its own, opened by as many "processes" as a test wants, each through connections of its own. */
export const redisLogWorld = (shape: typeof SHAPE, url: string): ReadersWorld => {
  const prefix = `test-${randomUUID()}`
  const opened: RedisConnection[] = []
  return {
    open: async (partitions = shape.partitions) => {
      const clock = freezable(realClock)
      const connection = await openConnection({ url, onWarning: () => undefined })
      opened.push(connection)
      const redis = faultyRedis(connection)
      const log = await openRedisLog({
        ...shape,
        redis,
        partitions,
        clock,
        newId: randomUUID,
        prefix,
        leaseTtlMs: LEASE_TTL_MS,
      })
      return { log, freeze: () => clock.freeze(), loseAnswerOfCommit: () => redis.loseAnswerOf('commit') }
    },
    reader: (name) => {
      const hash = (partition: number) => `${prefix}:{${partition}}:readers`
      const set = async (partition: number, number: number) => runRedis(url, 'hset', hash(partition), name, `${number}`)
      return {
        register: async () => {
          await Promise.all(Array.from({ length: shape.partitions }, (_, partition) => set(partition, 0)))
        },
        report: set,
      }
    },
    eventually,
    close: async () => {
      // What a test left running ends by itself, and reaches no later test's log.
      await Promise.all(opened.map((connection) => connection.close()))
    },
  }
}

/** As anybody at a terminal would, while the leases of this process go on; `-c` follows a cluster to the node of the key. */
const runRedis = async (url: string, ...command: readonly string[]): Promise<void> => {
  await promisify(execFile)('redis-cli', ['-c', '-u', url, ...command])
}

/** A connection whose next answer to a script can be lost. */
const faultyRedis = (redis: RedisConnection): RedisConnection & { loseAnswerOf(script: string): void } => {
  let loses: string | null = null
  return {
    ...redis,
    run: async (script, keys, args) => {
      const lost = loses === script
      if (lost) loses = null
      const answer = await redis.run(script, keys, args)
      if (lost) throw new Error('connection lost')
      return answer
    },
    loseAnswerOf: (script) => {
      loses = script
    },
  }
}
