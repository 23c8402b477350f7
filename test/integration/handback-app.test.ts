import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { FactsAnswer } from '../../src/cli/answers.ts'
import { Client } from '../../src/cli/client.ts'
import { drawPerson } from '../../src/pictures/draw.ts'
import { newDataFolder, removeFolder } from '../support/data-folder.ts'
import { eventually } from '../support/eventually.ts'
import { hasRedis, type RedisServer, startRedis } from '../support/redis-server.ts'
import { reaches } from '../support/rehearse.ts'
import { end, type Server, startServer, wearon } from '../support/server-process.ts'

const LIST = 'wearon:tasks:generation'
const TASKS = 5
const Books = z.object({ balanced: z.boolean(), sessions: z.number() })
const DEADLY = 'test/processes/deadly-handback-server.ts'

describe.runIf(hasRedis)('the way back', () => {
  let redis: RedisServer
  let folder: string
  let server: Server
  let client: Client

  const start = async (more: Record<string, string> = {}) => {
    // One public address for every process, so that the picture's URL stays theirs.
    const env = { REDIS_URL: redis.url, STORE: 'embedded', PARTITIONS: '8', PUBLIC_URL: 'http://wearon.test' }
    server = await startServer(folder, { ...env, ...more })
    client = new Client(server.url)
  }
  const here = (...args: string[]) => wearon(args, { DATA_DIR: folder })
  const inList = () => redis.cli('--json', 'lrange', LIST, '0', '-1')
  const factsOf = async (id: string) =>
    (await client.get(`/v1/generations/${id}/facts`, FactsAnswer)).items.map(({ type }) => type)
  const pause = (scope: string) => client.post(`/v1/pauses/${scope}`, { by: 'ada', why: 'the way back' }, z.object({}))
  const counts = () => client.get('/v1/handbacks', z.object({ released: z.number(), handed_back: z.number() }))

  /** As a producer pushes it: in whatever words. */
  const wordsOf = (id: string, picture: string, nth: number): string => {
    const task = {
      task_id: randomUUID(),
      channel: 'b2c',
      user_id: randomUUID(),
      session_id: nth === 1 ? id.toUpperCase() : id,
      image_urls: [picture],
      prompt: 'Zürich',
      request_id: `req_${id}`,
      version: 1,
      created_at: new Date().toISOString(),
      ...(nth === 2 && { priority: 7 }),
    }
    return JSON.stringify(task, null, nth === 3 ? 1 : 0)
  }

  beforeAll(async () => {
    redis = await startRedis()
    folder = await newDataFolder()
  })
  afterAll(async () => {
    await end(server, 'SIGKILL')
    await removeFolder(folder)
    await redis.stop()
  })

  it('gives every task back once, byte for byte, whenever it is killed, and takes them anew', {
    timeout: 120_000,
  }, async () => {
    await start({ file: DEADLY, DIE_AT: 'before' })
    const picture = await client.upload(await drawPerson(1))
    await pause('all')
    const ids = Array.from({ length: TASKS }, () => randomUUID())
    const words = ids.map((id, nth) => wordsOf(id, picture, nth))
    redis.cli('lpush', LIST, ...words)
    for (const id of ids) await reaches(client, id, 'queued')
    expect(await here('handback')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('list_not_paused') as string,
    })
    await pause('list')
    const dry = await here('handback', '--dry-run', '--json')
    expect(JSON.parse(dry.stdout)).toEqual({ untouched: TASKS, handed_back: 0, dry_run: true })

    // It dies once the sessions are released, before the first task is in the list.
    await eventually(async () => {
      await client.post('/v1/handbacks', { by: 'ada' }, z.object({ sessions: z.literal(TASKS) }))
    })
    expect(await server.ended).toMatchObject({ signal: 'SIGKILL' })
    expect(JSON.parse(inList())).toEqual([])
    // It dies when a task is in the list, before that is noted.
    await start({ file: DEADLY, DIE_AT: 'after' })
    expect(await server.ended).toMatchObject({ signal: 'SIGKILL' })
    expect((JSON.parse(inList()) as string[]).length).toBeGreaterThan(0)
    await start()
    await eventually(async () => expect(await counts()).toEqual({ released: 0, handed_back: TASKS }))
    const rest = await here('handback', '--json')
    expect(JSON.parse(rest.stdout)).toEqual({ untouched: 0, handed_back: 0, dry_run: false })
    expect((JSON.parse(inList()) as string[]).toSorted()).toEqual(words.toSorted())
    for (const id of ids)
      expect(await factsOf(id)).toEqual(['generation.requested', 'generation.released', 'generation.handed_back'])
    await eventually(async () =>
      expect(await client.get('/v1/reconciliation', Books)).toMatchObject({
        balanced: true,
        sessions: 0,
      }),
    )

    for (const scope of ['list', 'all']) await client.delete(`/v1/pauses/${scope}`, z.object({}))
    for (const id of ids) await reaches(client, id, 'completed')
    expect(JSON.parse(inList())).toEqual([])
  })
})
