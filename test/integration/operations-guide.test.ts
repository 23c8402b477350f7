import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Client } from '../../src/cli/client.ts'
import { newDataFolder, removeFolder } from '../support/data-folder.ts'
import { eventually } from '../support/eventually.ts'
import { commandsOf, GUIDE } from '../support/operations-guide.ts'
import { hasRedis, type RedisServer, startRedis } from '../support/redis-server.ts'
import { reaches } from '../support/rehearse.ts'
import { end, type Server, startServer, wearon } from '../support/server-process.ts'

/** A Redis, a server and a session, on a machine that does much else. */
const START_MAX_MS = 120_000

describe.runIf(hasRedis)('the operations guide', () => {
  const session = randomUUID()
  const store = randomUUID()
  let redis: RedisServer
  let folder: string
  let server: Server

  beforeAll(async () => {
    redis = await startRedis()
    folder = await newDataFolder()
    server = await startServer(folder, { REDIS_URL: redis.url, STORE: 'embedded', PARTITIONS: '4' })
    // An address of a private network: it is refused, and the store's credit given back.
    const pictures = ['--person', 'http://10.0.0.1/a.jpg', '--garment', 'http://10.0.0.1/b.jpg']
    const order = ['publish', '--charge', '--store', store, '--session', session, ...pictures]
    await wearon(order, { DATA_DIR: folder })
    await reaches(new Client(server.url), session, 'refunded')
  }, START_MAX_MS)
  afterAll(async () => {
    server.child.kill('SIGKILL')
    await removeFolder(folder)
    await redis.stop()
  })

  /** Runs what the guide shows, and answers what each command said. */
  const follow = async (heading: string, values: Readonly<Record<string, string>> = {}): Promise<string[]> => {
    const said: string[] = []
    for (const command of commandsOf(heading, values)) {
      const [, args = ''] = /^npm run wearon -- (.*)$/.exec(command) ?? []
      const { code, stdout, stderr } = await wearon(args.split(' '), { DATA_DIR: folder })
      expect([command, code, stderr]).toEqual([command, 0, ''])
      said.push(stdout)
    }
    return said
  }

  it('finds why a session failed', async () => {
    const [shown] = await follow('Find why a session failed', { SESSION: session })
    expect(shown).toContain('input_rejected')
  })

  it('replays a dead letter', async () => {
    redis.cli('lpush', 'wearon:tasks:generation', '{"broken')
    const letter = await eventually(async () => {
      const { stdout } = await wearon(['dead', 'list', '--json'], { DATA_DIR: folder })
      const [found] = (JSON.parse(stdout) as { items: { id: string }[] }).items
      if (found === undefined) throw new Error('no letter yet')
      return found.id
    })
    const [listed, shown, replayed] = await follow('Replay a dead letter', { LETTER: letter })
    expect(listed).toContain(letter)
    expect(shown).toContain('{"broken')
    expect(replayed).toContain('replayed')
  })

  it('rebuilds the projections', async () => {
    const [status] = await follow('Rebuild a projection')
    expect(status).toContain('sessions')
    await eventually(() => expect(server.stdout().match(/"msg":"projection rebuilt"/g)).toHaveLength(2))
  })

  it('says whether a store got its credit back', async () => {
    const said = await follow('Did this store get its credit back?', { STORE: store, SESSION: session })
    expect(said[0]).toContain('issued')
    expect(said[1]).toContain(`store:${store}`)
  })

  it('rotates a key: the new one works before the old one ends', async () => {
    const made = await wearon(['keys', 'create', '--name', 'shop', '--scope', 'read', '--json'], { DATA_DIR: folder })
    const old = JSON.parse(made.stdout) as { id: string; key: string }
    const asks = async (key: string) =>
      (await fetch(`${server.url}/v1/generations`, { headers: { authorization: `Bearer ${key}` } })).status
    expect(await asks(old.key)).toBe(200)
    const [shown, listed] = await follow('Rotate a key', { OLDKEY: old.id })
    const [fresh = ''] = /wk_\S+/.exec(shown ?? '') ?? []
    expect(listed).toContain(old.id)
    expect([await asks(fresh), await asks(old.key)]).toEqual([200, 401])
  })

  it('drains a process, which says what the guide says', async () => {
    const [command] = commandsOf('Drain a process', { PROCESS: String(server.child.pid) })
    expect(command).toBe(`kill -TERM ${server.child.pid}`)
    const { code, stdout } = await end(server)
    expect(code).toBe(0)
    for (const line of ['stopping: running generations may end, nothing new starts', 'stopped']) {
      expect(GUIDE).toContain(`\`${line}\``)
      expect(stdout).toContain(`"msg":"${line}"`)
    }
  })
})
