import { connectionOf } from '../adapters/kafka/access.ts'
import { openKafkaLog } from '../adapters/kafka/event-log.ts'
import { openPostgresLog } from '../adapters/postgres/event-log.ts'
import type { Sql } from '../adapters/postgres/sql.ts'
import { bridgeTasks, oldestWaiting } from '../adapters/redis/bridge.ts'
import { openConnection, type RedisConnection } from '../adapters/redis/connection.ts'
import { openRedisLog } from '../adapters/redis/event-log.ts'
import { producersList } from '../adapters/redis/producers-list.ts'
import type { Config } from '../config.ts'
import { assertNever } from '../events/assert-never.ts'
import type { EventLog } from '../machines/ports/event-log.ts'
import type { ProducersList } from '../projections/hand-back.ts'
import type { ProcessEnvironment } from './environment.ts'

/** The partitions' own grace period ends first. */
const DRAIN_EXTRA_MS = 5_000

export interface OpenedLog {
  readonly log: EventLog
  /**
   * Carries the producers' tasks from their list in Redis to the log until the signal aborts, unless they are held; null
   * without a Redis.
   */
  readonly bridge: ((isHeld: () => boolean, alive: () => void, signal: AbortSignal) => Promise<void>) | null
  /** Where tasks go that are handed back; null without a Redis. */
  readonly producersList: ProducersList | null
  /** When the oldest task was made that waits before the log; null when none does, 0 when it does not say. */
  readonly oldestWaiting: () => Promise<number | null>
  close(): Promise<void>
}

/** The event log that the configuration chose, and the bridge to it. `open` gives the database that the log lies in. */
export const openLog = async (config: Config, env: ProcessEnvironment, open: OpenDatabase): Promise<OpenedLog> => {
  const { redisUrl } = config
  const onWarning = (warning: string) => env.logger.warn({}, warning)
  const redis = redisUrl === undefined ? null : await openConnection({ url: redisUrl, onWarning })
  try {
    const log = await openOn(config, env, redis, open)
    return {
      log,
      bridge: redis && ((isHeld, alive, signal) => bridgeTasks({ redis, log, env, isHeld }, alive, signal)),
      producersList: redis && producersList(redis),
      oldestWaiting: async () => (redis === null ? null : oldestWaiting(redis)),
      close: async () => {
        await log.close()
        await redis?.close()
      },
    }
  } catch (error) {
    await redis?.close()
    throw error
  }
}

type OpenDatabase = (kind: 'embedded' | 'postgres') => Promise<Sql>

const openOn = async (
  config: Config,
  env: ProcessEnvironment,
  redis: RedisConnection | null,
  open: OpenDatabase,
): Promise<EventLog> => {
  const { eventLog } = config
  const options = {
    partitions: config.partitions,
    clock: env.clock,
    newId: () => env.newId(),
    drainMs: config.shutdownGraceMs + DRAIN_EXTRA_MS,
    onError: (error: unknown) => {
      env.meter.count('log_faults_total', {})
      env.logger.warn({ error }, 'the log did not answer; trying again')
    },
  }
  switch (eventLog) {
    case 'redis':
      if (redis === null) throw new Error('REDIS_URL is needed for EVENT_LOG=redis')
      return openRedisLog({ ...options, redis })
    case 'kafka':
      return openKafkaLog({ ...options, kafka: connectionOf(config.kafka) })
    case 'embedded':
    case 'postgres':
      return openPostgresLog({ ...options, sql: await open(eventLog), alone: eventLog === 'embedded' })
    default:
      return assertNever(eventLog)
  }
}
