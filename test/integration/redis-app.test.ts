import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Client } from '../../src/cli/client.ts'
import { newDataFolder, removeFolder } from '../support/data-folder.ts'
import { eventually } from '../support/eventually.ts'
import { hasRedis, type RedisServer, startRedis } from '../support/redis-server.ts'
import { publishDrawn, reaches } from '../support/rehearse.ts'
import { end, type Server, startServer, wearon } from '../support/server-process.ts'

const LIST = 'wearon:tasks:generation'

describe.runIf(hasRedis)('a process on Redis', () => {
  let redis: RedisServer
  let folder: string
  let server: Server

  const start = () => startServer(folder, { REDIS_URL: redis.url, STORE: 'embedded', PARTITIONS: '8' })

  beforeAll(async () => {
    redis = await startRedis()
    folder = await newDataFolder()
    server = await start()
  })
  afterAll(async () => {
    await end(server)
    await removeFolder(folder)
    await redis.stop()
  })

  it('takes a task to its picture', async () => {
    const client = new Client(server.url)
    expect((await reaches(client, await publishDrawn(client), 'completed')).image_url).toContain('/objects/')
  })

  it("takes up tasks from the producers' list", async () => {
    const id = randomUUID()
    const task = {
      task_id: randomUUID(),
      channel: 'b2c',
      user_id: randomUUID(),
      session_id: id,
      image_urls: ['https://images.invalid/person.jpg'],
      request_id: 'req_1',
      version: 1,
      created_at: new Date().toISOString(),
    }
    redis.cli('lpush', LIST, JSON.stringify(task))
    await eventually(async () => {
      const response = await fetch(`${server.url}/v1/generations/${id}`)
      expect(response.status).toBe(200)
    })
    expect(redis.cli('llen', LIST).trim()).toBe('0')
    const health = (await (await fetch(`${server.url}/health`)).json()) as { loops: { name: string }[] }
    expect(health.loops.map(({ name }) => name)).toContain('bridge')
  })

  it('shows who follows the journals, and lets go of what a reader holds that will not come back', async () => {
    const ask = (...args: string[]) => wearon(['readers', ...args], { DATA_DIR: folder })
    expect((await ask('list')).stdout).toBe('nobody registered\n')
    redis.cli('hset', 'wearon:{0}:readers', 'billing', '0')
    expect((await ask('list')).stdout).toMatch(/^billing +\d/m)
    await end(server)
    server = await start()
    await eventually(async () => {
      const metrics = await (await fetch(`${server.url}/metrics`)).text()
      expect(metrics).toMatch(/^wearon_journal_reader_behind_steps\{reader="billing"\} \d/m)
    })
    expect((await ask('remove', 'billing')).stdout).toMatch(/^removed billing/)
    expect(redis.cli('hlen', 'wearon:{0}:readers').trim()).toBe('0')
    expect(await ask('remove', 'billing')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('reader_unknown') as string,
    })
  })

  it('goes on where a killed one was', async () => {
    const earlier = new Client(server.url)
    const done = await publishDrawn(earlier)
    await reaches(earlier, done, 'completed')
    server.child.kill('SIGKILL')
    await server.ended
    server = await start()
    const client = new Client(server.url)
    await reaches(client, done, 'completed')
    await reaches(client, await publishDrawn(client), 'completed')
  })

  it('refuses to start on a Redis that drops keys, and where none answers', async () => {
    const dropping = await startRedis(['--maxmemory', '100mb', '--maxmemory-policy', 'allkeys-lru'])
    const elsewhere = await newDataFolder()
    const startOn = (url: string) => wearon(['start'], { DATA_DIR: elsewhere, REDIS_URL: url, PORT: '0' })
    expect(await startOn(dropping.url)).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('noeviction') as string,
    })
    await dropping.stop()
    expect(await startOn(dropping.url)).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('REDIS_URL') as string,
    })
    await removeFolder(elsewhere)
  })
})
