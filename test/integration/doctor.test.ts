import { createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Kafka, logLevel } from 'kafkajs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { diagnoseKafka } from '../../src/adapters/kafka/diagnose.ts'
import { createTopics, topicsOf } from '../../src/adapters/kafka/topics.ts'
import { migrate } from '../../src/adapters/postgres/migrate.ts'
import { openServer } from '../../src/adapters/postgres/server.ts'
import { examine } from '../../src/app/doctor.ts'
import type { Diagnosis } from '../../src/machines/ports/diagnosis.ts'
import { realClock } from '../support/clock.ts'
import { hasKafka, type KafkaServer, startKafka } from '../support/kafka-server.ts'
import { hasPostgres, type PostgresServer, startPostgres } from '../support/postgres-server.ts'
import { startProject } from '../support/postgrest-world.ts'
import { hasRedis, type RedisServer, startRedis } from '../support/redis-server.ts'
import { wearon } from '../support/server-process.ts'

const LIMIT_MS = 20_000
const NOWHERE = join(tmpdir(), 'wearon-doctor-nowhere')

/** What is said of a part, by verdict. */
const told = (found: readonly Diagnosis[], about: string) =>
  found.filter((one) => one.about === about).map(({ verdict, says }) => `${verdict} ${says}`)
const diagnose = (variables: Record<string, string>) =>
  examine(LIMIT_MS, { DATA_DIR: NOWHERE, PORT: '1', POSE: 'off', ...variables })

describe.runIf(hasRedis && hasPostgres)('the doctor, with servers', () => {
  let redis: RedisServer
  let postgres: PostgresServer
  let url: string
  beforeAll(async () => {
    ;[redis, postgres] = await Promise.all([startRedis(), startPostgres([])])
    url = await postgres.database()
  }, 120_000)
  afterAll(async () => {
    await Promise.all([redis.stop(), postgres.stop()])
  })

  it('names the migrations that a database lacks, and the command', async () => {
    const found = await diagnose({ DATABASE_URL: url })
    expect(told(found, 'migrations')).toEqual([expect.stringMatching(/^fail \d+ are not applied: 2\d+_/)])
    expect(found.find(({ about }) => about === 'migrations')?.remedy).toContain('npm run wearon -- migrate')
  })

  it('finds servers well, and says how: one line each, exit code 0', async () => {
    const sql = openServer({ url })
    await migrate(sql)
    await sql.close()
    const { code, stdout, stderr } = await wearon(['doctor', '--timeout', '20'], {
      REDIS_URL: redis.url,
      DATABASE_URL: url,
      DATA_DIR: NOWHERE,
      PORT: '1',
      OPENAI_API_KEY: 'sk-a-key-for-tests',
    })
    expect([code, stderr]).toEqual([0, ''])
    const lines = stdout.trimEnd().split('\n')
    const verdictOf = (about: string) =>
      lines
        .find((line) => line.slice(6).startsWith(about))
        ?.slice(0, 5)
        .trim()
    for (const about of [
      'redis ',
      'redis settings',
      'postgres ',
      'postgres settings',
      'migrations',
      'partitions',
      'provider',
      'pauses',
    ])
      expect([about, verdictOf(about)]).toEqual([about, 'ok'])
    expect(lines.filter((line) => line.slice(6).startsWith('clock of'))).toHaveLength(2)
    expect(verdictOf('api keys')).toBe('warn')
    expect(stdout).not.toContain('sk-a-key')
  }, 60_000)

  it('says what a power cut would take', async () => {
    const sql = openServer({ url })
    await sql.script('alter database test_1 set synchronous_commit = off')
    await sql.close()
    redis.cli('config', 'set', 'appendfsync', 'no')
    const unwritten = await diagnose({ REDIS_URL: redis.url })
    expect(told(unwritten, 'redis settings')).toEqual([expect.stringContaining('warn appendfsync is no')])
    redis.cli('config', 'set', 'appendonly', 'no')
    const found = await diagnose({ REDIS_URL: redis.url, DATABASE_URL: url })
    expect(told(found, 'postgres settings')).toEqual([expect.stringContaining('warn synchronous_commit is off')])
    expect(told(found, 'redis settings')).toEqual([
      expect.stringContaining('warn this Redis keeps no append-only file'),
    ])
  })

  it('refuses a Redis that drops keys, as the start does, and another number of partitions', async () => {
    redis.cli('config', 'set', 'maxmemory', '100mb')
    redis.cli('config', 'set', 'maxmemory-policy', 'allkeys-lru')
    redis.cli('hset', 'wearon:{log}:meta', 'partitions', '16')
    const { code, stdout } = await wearon(['doctor', '--json', '--timeout', '20'], {
      REDIS_URL: redis.url,
      DATA_DIR: NOWHERE,
    })
    const { ok, checks } = JSON.parse(stdout) as { ok: boolean; checks: Diagnosis[] }
    expect([code, ok]).toEqual([1, false])
    expect(told(checks, 'redis settings')).toEqual([expect.stringContaining('fail this Redis drops keys')])
    expect(told(checks, 'partitions')).toEqual(['fail the log has 16 for good, not 64'])
    expect(redis.cli('dbsize').trim()).toBe('1')
  }, 60_000)
})

describe.runIf(hasPostgres)('the doctor, with a Supabase project', () => {
  let project: Awaited<ReturnType<typeof startProject>>
  beforeAll(async () => {
    project = await startProject()
  }, 120_000)
  afterAll(() => project.close())

  const diagnoseProject = (key: string) =>
    diagnose({ SUPABASE_URL: project.access.url, SUPABASE_SERVICE_ROLE_KEY: key, OBJECTS: 'folder' })

  it('tells its migrations, its clock and whether it takes the key', async () => {
    const found = await diagnoseProject(project.access.key)
    for (const about of ['supabase', 'migrations', 'clock of supabase'])
      expect([about, found.find((one) => one.about === about)?.verdict]).toEqual([about, 'ok'])
    await project.sql.query(`delete from wearon.migrations where name like '%applied'`)
    const lacking = (await diagnoseProject(project.access.key)).find(({ about }) => about === 'migrations')
    expect(lacking).toMatchObject({ verdict: 'fail', remedy: expect.stringContaining('supabase db push') as unknown })
    const refused = told(await diagnoseProject('sb_secret_of_another_project'), 'supabase')
    expect(refused).toEqual([expect.stringContaining('see to SUPABASE_SERVICE_ROLE_KEY')])
  }, 60_000)
})

describe('the doctor, without servers', () => {
  let silent: Server
  beforeAll(async () => {
    silent = createServer(() => {})
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve))
  })
  afterAll(() => silent.close())

  it('says of each what does not answer, and which variable to see to', async () => {
    const found = await diagnose({
      REDIS_URL: 'redis://127.0.0.1:1',
      DATABASE_URL: 'postgres://u@127.0.0.1:1/x',
      KAFKA_BROKERS: '127.0.0.1:1',
    })
    for (const about of ['redis', 'kafka', 'postgres', 'api keys'])
      expect([about, told(found, about).join()]).toEqual([about, expect.stringContaining('ECONNREFUSED')])
    expect(found.filter(({ verdict }) => verdict === 'fail')).toHaveLength(4)
  })

  it('gives each part its time and no more, also a server that takes connections and says nothing', async () => {
    const { port } = silent.address() as { port: number }
    const found = await examine(300, {
      DATA_DIR: NOWHERE,
      PORT: '1',
      POSE: 'off',
      REDIS_URL: `redis://127.0.0.1:${port}`,
      DATABASE_URL: `postgres://u@127.0.0.1:${port}/x`,
    })
    for (const about of ['redis', 'postgres']) expect(told(found, about)).toEqual(['fail no answer within 300 ms'])
  })

  it('tells every fault of the configuration, and then asks nobody', async () => {
    const found = await examine(LIMIT_MS, { PORT: 'abc', EVENT_LOG: 'redis', STORE: 'postgres' })
    expect(told(found, 'configuration')).toEqual([expect.stringContaining('fail PORT')])
    const later = await examine(LIMIT_MS, { EVENT_LOG: 'redis', STORE: 'postgres' })
    expect(told(later, 'configuration')).toHaveLength(2)
    expect(later.filter(({ about }) => !['node', 'configuration'].includes(about))).toEqual([])
  })
})

describe.runIf(hasKafka)('the doctor, with Kafka', () => {
  let kafka: KafkaServer
  beforeAll(async () => {
    kafka = await startKafka()
  }, 120_000)
  afterAll(() => kafka.stop())

  it('looks at the topics, and sees a broker that would drop sessions', async () => {
    const config = { brokers: [kafka.broker], logLevel: logLevel.NOTHING }
    expect(told(await diagnoseKafka(config, 4), 'partitions')).toEqual(['ok the first start makes the log with 4'])
    const topics = topicsOf('wearon')
    await createTopics(config, topics, 4, realClock)
    const found = await diagnoseKafka(config, 4)
    expect(found.map(({ about, verdict }) => [about, verdict])).toEqual([
      ['kafka', 'ok'],
      ['partitions', 'ok'],
      ['kafka topics', 'ok'],
      ['kafka copies', 'warn'],
    ])
    const admin = new Kafka(config).admin()
    await admin.connect()
    const configEntries = [{ name: 'retention.ms', value: '604800000' }]
    await admin.alterConfigs({ validateOnly: false, resources: [{ type: 2, name: topics.journal, configEntries }] })
    await admin.disconnect()
    const dropping = await diagnoseKafka(config, 8)
    expect(told(dropping, 'partitions')).toEqual(['fail the log has 4 for good, not 8'])
    expect(told(dropping, 'kafka topics').join()).toContain('fail drop sessions: retention.ms=604800000')
  }, 60_000)
})
