import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { Client } from '../../src/cli/client.ts'
import { drawPerson } from '../../src/pictures/draw.ts'
import { newDataFolder, removeFolder } from '../support/data-folder.ts'
import { eventually } from '../support/eventually.ts'
import { hasRedis, type RedisServer, startRedis } from '../support/redis-server.ts'
import { publishPictures, reaches } from '../support/rehearse.ts'
import { end, type Server, startServer, wearon } from '../support/server-process.ts'

describe.runIf(hasRedis)('a process that is told to wait', () => {
  let redis: RedisServer
  let folder: string
  let server: Server
  let client: Client
  let picture: string

  const start = async () => {
    // One public address for every process, so that the picture's URL stays theirs.
    const env = { REDIS_URL: redis.url, STORE: 'embedded', PARTITIONS: '8', PUBLIC_URL: 'http://wearon.test' }
    server = await startServer(folder, env)
    client = new Client(server.url)
  }
  const here = (...args: string[]) => wearon(args, { DATA_DIR: folder })
  const publish = (user: string) => publishPictures(client, [picture], undefined, user)
  const health = async () => (await (await fetch(`${server.url}/health`)).json()) as Record<string, unknown>

  beforeAll(async () => {
    redis = await startRedis()
    folder = await newDataFolder()
    await start()
    picture = await client.upload(await drawPerson(1))
  })
  afterAll(async () => {
    await end(server)
    await removeFolder(folder)
    await redis.stop()
  })

  it('starts no try of a paused user, also after it was killed, until that user may go on', async () => {
    const [paused, other] = [randomUUID(), randomUUID()]
    const said = await here('pause', '--user', paused, '--why', 'their pictures kill us', '--by', 'ada')
    expect(said).toMatchObject({ code: 0, stdout: expect.stringContaining(`user:${paused} is paused since`) as string })
    const waiting = await publish(paused)
    await reaches(client, await publish(other), 'completed')
    expect(await reaches(client, waiting, 'queued')).toMatchObject({ attempts: 0 })
    await end(server, 'SIGKILL')
    await start()
    await reaches(client, await publish(other), 'completed')
    expect(await reaches(client, waiting, 'queued')).toMatchObject({ attempts: 0 })
    expect(await health()).toMatchObject({ paused: [{ what: 'user' }] })
    expect((await here('pauses')).stdout).toMatch(new RegExp(`user:${paused}  .*ada .*their pictures kill us`))
    expect((await here('resume', '--user', paused)).stdout).toContain('goes on; it was paused since')
    await reaches(client, waiting, 'completed')
    expect((await here('resume', '--user', paused)).stdout).toContain('was not paused')
    const audit = await client.get('/v1/audit?action=pause', z.object({ items: z.array(z.looseObject({})) }))
    expect(audit.items.map(({ action, target }) => [action, target])).toEqual([
      ['pause.end', `user:${paused}`],
      ['pause.end', `user:${paused}`],
      ['pause.begin', `user:${paused}`],
    ])
  })

  it('takes tasks and starts none while everything is paused, and is well meanwhile', async () => {
    await here('pause', '--why', 'the provider is being changed')
    const ids = [await publish(randomUUID()), await publish(randomUUID())]
    for (const id of ids) await reaches(client, id, 'queued')
    await end(server)
    await start()
    await eventually(async () => expect(await health()).toMatchObject({ status: 'ok', paused: [{ what: 'all' }] }))
    const metrics = await (await fetch(`${server.url}/metrics`)).text()
    expect(Number(/^wearon_paused_seconds\{scope="all"\} (\S+)/m.exec(metrics)?.[1])).toBeGreaterThan(0)
    for (const id of ids) expect(await reaches(client, id, 'queued')).toMatchObject({ attempts: 0 })
    await here('resume')
    for (const id of ids) await reaches(client, id, 'completed')
  })
})
