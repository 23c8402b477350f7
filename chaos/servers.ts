import { randomUUID } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Redis } from 'ioredis'
import { openKafkaLog } from '../src/adapters/kafka/event-log.ts'
import { openPostgresLog } from '../src/adapters/postgres/event-log.ts'
import { migrate } from '../src/adapters/postgres/migrate.ts'
import { openServer } from '../src/adapters/postgres/server.ts'
import type { Sql } from '../src/adapters/postgres/sql.ts'
import { openConnection } from '../src/adapters/redis/connection.ts'
import { openRedisLog } from '../src/adapters/redis/event-log.ts'
import { steadyClock } from '../src/adapters/system/clock.ts'
import type { EventLog } from '../src/machines/ports/event-log.ts'
import { cutTail } from '../test/support/kafka-cut.ts'
import { startKafka } from '../test/support/kafka-server.ts'
import { startPostgres } from '../test/support/postgres-server.ts'
import { startRedis } from '../test/support/redis-server.ts'
import { grown, topicEnds } from './kafka-ends.ts'
import { openProxy, type Proxy } from './proxy.ts'

export type LogKind = 'redis' | 'kafka' | 'postgres'

/** How much of the log is lost, ms. */
const LOST_MS = 1_000
const PLATFORM = join(import.meta.dirname, '../test/fixtures/platform.sql')

/** The real servers of one run, each process's own way to them, and what may befall them. */
export interface Servers {
  /** Log and database are one server, so that the ledger loses what the log loses. */
  readonly oneServer: boolean
  /** What a process in this slot has to know. */
  env(slot: number): Record<string, string>
  /** The proxies between this slot's process and the log, and the database: one and the same where both are one server. */
  proxies(slot: number): { readonly log: Proxy; readonly database: Proxy }
  /** The harness's own ways, past all proxies. */
  readonly sql: Sql
  readonly log: EventLog
  readonly list: ((bytes: Uint8Array) => Promise<void>) | null
  restartLog(graceful: boolean): Promise<void>
  restartDatabase(graceful: boolean): Promise<void>
  /** Kills the log's server, takes its last second of writes from it and starts it again. */
  loseLastSecond(): Promise<void>
  stop(): Promise<void>
}

/** What the server of one kind of log adds to the database, which every run has. */
interface LogServer extends Pick<Servers, 'log' | 'list' | 'restartLog' | 'loseLastSecond' | 'stop'> {
  env(slot: number): Record<string, string>
  proxy(slot: number): Proxy
}

/** @param slots how many processes there are at most. */
export const startServers = async (kind: LogKind, slots: number, partitions: number): Promise<Servers> => {
  const postgres = await startPostgres()
  const url = new URL(await postgres.database())
  const sql = openServer({ url: url.href, name: 'chaos' })
  await sql.script(await readFile(PLATFORM, 'utf8'))
  await migrate(sql)
  const databases = await Promise.all(Array.from({ length: slots }, () => openProxy(() => Number(url.port))))
  const database = { sql, server: postgres, proxies: databases }
  const logServer = await startLog(kind, { slots, partitions, database })
  return {
    oneServer: kind === 'postgres',
    env: (slot) => ({
      STORE: 'postgres',
      DATABASE_URL: through(url, at(databases, slot)),
      PARTITIONS: `${partitions}`,
      ...logServer.env(slot),
    }),
    proxies: (slot) => ({ log: logServer.proxy(slot), database: at(databases, slot) }),
    sql,
    log: logServer.log,
    list: logServer.list,
    restartLog: (graceful) => logServer.restartLog(graceful),
    restartDatabase: (graceful) => postgres.restart(graceful),
    loseLastSecond: () => logServer.loseLastSecond(),
    stop: async () => {
      await logServer.log.close()
      await logServer.stop()
      await sql.close()
      await Promise.all(databases.map((proxy) => proxy.close()))
      await postgres.stop()
    },
  }
}

interface LogParts {
  readonly slots: number
  readonly partitions: number
  readonly database: {
    readonly sql: Sql
    readonly server: Awaited<ReturnType<typeof startPostgres>>
    readonly proxies: readonly Proxy[]
  }
}

const startLog = (kind: LogKind, parts: LogParts): Promise<LogServer> => {
  if (kind === 'redis') return onRedis(parts)
  return kind === 'kafka' ? onKafka(parts) : onPostgres(parts)
}

const shapeOf = ({ partitions }: LogParts) => ({ partitions, clock: steadyClock(), newId: () => randomUUID() })

const onRedis = async (parts: LogParts): Promise<LogServer> => {
  // One append-only file, never rewritten, so that its end can be cut off.
  const server = await startRedis(['--auto-aof-rewrite-percentage', '0'])
  const url = new URL(server.url)
  const proxies = await Promise.all(Array.from({ length: parts.slots }, () => openProxy(() => Number(url.port))))
  const redis = await openConnection({ url: server.url, onWarning: () => undefined, name: 'chaos' })
  const list = new Redis(server.url, { maxRetriesPerRequest: 0 }).on('error', () => undefined)
  return {
    env: (slot) => ({ EVENT_LOG: 'redis', REDIS_URL: through(url, at(proxies, slot)) }),
    proxy: (slot) => at(proxies, slot),
    log: await openRedisLog({ ...shapeOf(parts), redis }),
    list: async (bytes) => {
      await list.lpush('wearon:tasks:generation', Buffer.from(bytes))
    },
    restartLog: (graceful) => server.restart(graceful),
    loseLastSecond: async () => {
      const written = await server.written()
      await sleep(LOST_MS)
      await server.cutBackTo(written)
    },
    stop: async () => {
      list.disconnect()
      await redis.close()
      await Promise.all(proxies.map((proxy) => proxy.close()))
      await server.stop()
    },
  }
}

const onKafka = async (parts: LogParts): Promise<LogServer> => {
  let behind: readonly number[] = []
  const proxies = await Promise.all(
    Array.from({ length: parts.slots }, (_, slot) => openProxy(() => behind[slot] ?? 0)),
  )
  const server = await startKafka(proxies.map(({ port }) => port))
  behind = server.behind
  return {
    env: (slot) => ({ EVENT_LOG: 'kafka', KAFKA_BROKERS: `127.0.0.1:${at(proxies, slot).port}` }),
    proxy: (slot) => at(proxies, slot),
    log: await openKafkaLog({ ...shapeOf(parts), kafka: { brokers: [server.broker], clientId: 'chaos' } }),
    list: null,
    restartLog: (graceful) => server.restart(graceful),
    loseLastSecond: async () => {
      const before = await topicEnds(server.broker, 'wearon')
      await sleep(LOST_MS)
      const lost = grown(before, await topicEnds(server.broker, 'wearon'))
      await server.restart(false, async (folder) => {
        for (const { topic, partition, offset } of lost) await cutTail(folder, topic, partition, offset)
      })
    },
    stop: async () => {
      await Promise.all(proxies.map((proxy) => proxy.close()))
      await server.stop()
    },
  }
}

const onPostgres = async (parts: LogParts): Promise<LogServer> => {
  const { sql, server, proxies } = parts.database
  return {
    env: () => ({ EVENT_LOG: 'postgres' }),
    proxy: (slot) => at(proxies, slot),
    log: await openPostgresLog({ ...shapeOf(parts), sql }),
    list: null,
    restartLog: (graceful) => server.restart(graceful),
    loseLastSecond: async () => {
      await server.stopWriting()
      await sleep(LOST_MS)
      await server.loseUnwritten()
    },
    stop: async () => {},
  }
}

const through = (url: URL, { port }: Proxy): string => {
  const changed = new URL(url)
  changed.port = `${port}`
  return changed.href
}

const at = (proxies: readonly Proxy[], slot: number): Proxy => {
  const proxy = proxies[slot]
  if (proxy === undefined) throw new RangeError(`there is no slot ${slot}`)
  return proxy
}
