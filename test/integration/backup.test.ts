import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { FactsAnswer } from '../../src/cli/answers.ts'
import { Client } from '../../src/cli/client.ts'
import { newDataFolder, removeFolder } from '../support/data-folder.ts'
import { eventually } from '../support/eventually.ts'
import { commandsOf } from '../support/operations-guide.ts'
import { hasPostgres, type PostgresServer, startPostgres, withPostgresPrograms } from '../support/postgres-server.ts'
import { hasRedis, type RedisServer, startRedis } from '../support/redis-server.ts'
import { reaches } from '../support/rehearse.ts'
import { end, type Server, startServer, wearon } from '../support/server-process.ts'

const Accepted = z.looseObject({ session_id: z.string() })
const Ready = z.object({ damaged_partitions: z.array(z.number()) })

/** An address of a private network is refused: the session fails, and its refund is decided. */
const taskOf = (id: string) => ({
  task_id: randomUUID(),
  channel: 'b2c',
  user_id: '0190b5f8-0000-7000-8000-00000000000b',
  session_id: id,
  image_urls: ['http://10.0.0.1/a.jpg', 'http://10.0.0.1/b.jpg'],
  request_id: `req_${id}`,
  created_at: new Date().toISOString(),
})

describe.runIf(hasRedis && hasPostgres)('a system whose database and log are gone', () => {
  let postgres: PostgresServer
  let redis: RedisServer
  let folder: string
  let server: Server

  const start = async (url: string) => {
    const env = { DATABASE_URL: url, REDIS_URL: redis.url, PARTITIONS: '2' }
    server = await startServer(folder, env)
    return new Client(server.url)
  }
  const ended = async (client: Client, id: string) => {
    const task = taskOf(id)
    await client.post('/v1/generations', task, Accepted)
    await reaches(client, id, 'failed')
    return eventually(async () => {
      const { items } = await client.get(`/v1/generations/${id}/facts`, FactsAnswer)
      expect(items.at(-1)?.type).toBe('refund.waived')
      return { task, items }
    })
  }

  beforeAll(async () => {
    folder = await newDataFolder()
    ;[postgres, redis] = await Promise.all([startPostgres(), startRedis()])
  }, 120_000)
  afterAll(async () => {
    await end(server)
    await redis.stop()
    await postgres.stop()
    await removeFolder(folder)
  })

  it('is restored from a dump by the commands of the guide, and goes on', async () => {
    const [before, after] = [await postgres.database(), await postgres.database()]
    await wearon(['migrate'], { DATABASE_URL: before })
    const first = await start(before)
    const kept = [await ended(first, randomUUID()), await ended(first, randomUUID()), await ended(first, randomUUID())]
    const [dump = '', restore = '', repair = ''] = commandsOf('Back up, and restore')
    const urls = { DATABASE_URL: before, RESTORED_URL: after }
    const inFolder = (command: string) =>
      withPostgresPrograms(command.replace('wearon.dump', join(folder, 'wearon.dump')), urls)
    inFolder(dump)
    await end(server)
    await redis.stop()

    redis = await startRedis()
    inFolder(restore)
    const client = await start(after)
    const damaged = await eventually(async () => {
      const { damaged_partitions: found } = Ready.parse(await (await fetch(`${server.url}/readyz`)).json())
      expect(found.length).toBeGreaterThan(0)
      expect(found).toHaveLength(2)
      return found
    })
    for (const partition of damaged) {
      const args = repair.replace('npm run wearon -- ', '').replace('PARTITION', String(partition)).split(' ')
      expect(await wearon([...args, '--url', server.url], { DATA_DIR: folder })).toMatchObject({ code: 0, stderr: '' })
    }

    for (const { task, items } of kept) {
      await client.post('/v1/generations', task, Accepted)
      expect((await client.get(`/v1/generations/${task.session_id}/facts`, FactsAnswer)).items).toEqual(items)
    }
    await ended(client, randomUUID())
    for (const { task, items } of kept)
      expect((await client.get(`/v1/generations/${task.session_id}/facts`, FactsAnswer)).items).toEqual(items)
  }, 180_000)
})
