import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readHolder } from '../../src/adapters/postgres/lock.ts'
import { Client } from '../../src/cli/client.ts'
import { sniff } from '../../src/pictures/sniff.ts'
import { newDataFolder, removeFolder } from '../support/data-folder.ts'
import { eventually } from '../support/eventually.ts'
import { publishDrawn, reaches } from '../support/rehearse.ts'
import { end, launch, type Server, startServer, wearon } from '../support/server-process.ts'

let folder: string
let server: Server
let client: Client

beforeAll(async () => {
  folder = await newDataFolder()
  server = await startServer(folder, { PARTITIONS: '8' })
  client = new Client(server.url)
})
afterAll(async () => {
  await end(server)
  await removeFolder(folder)
})

describe('a process on the embedded database', () => {
  it('takes a task over HTTP and serves the picture that comes of it under a signed URL', async () => {
    const { image_url: url } = await reaches(client, await publishDrawn(client), 'completed')
    expect(url).toMatch(new RegExp(`^${server.url}/objects/`))
    const picture = await fetch(url ?? '')
    expect(picture.headers.get('content-type')).toBe('image/jpeg')
    expect(sniff(await picture.bytes())).toBe('jpeg')
    expect(await fetch((url ?? '').replace('/generated/', '/generated/x'))).toMatchObject({ status: 403 })
  })

  it('shows what it is made of: probes, loops, partitions and metrics', async () => {
    await eventually(async () => {
      const health = (await (await fetch(`${server.url}/health`)).json()) as Record<string, unknown>
      expect(health).toMatchObject({ status: 'ok', partitions: { of: 8, held: 8, running: 8, damaged: [] } })
      const loops = health['loops'] as { name: string }[]
      const names = [
        'worker',
        'archive',
        'sessions',
        'refunds',
        'set-aside',
        'lag',
        'readers',
        'books',
        'letters',
        'sweep',
      ]
      expect(loops.map(({ name }) => name)).toEqual(expect.arrayContaining(names))
    })
    expect(await fetch(`${server.url}/readyz`)).toMatchObject({ status: 200 })
    expect(await (await fetch(`${server.url}/metrics`)).text()).toContain('wearon_http_requests_total')
  })

  it('charges for a rehearsed order once, and takes no bytes that are no picture', async () => {
    const order = {
      task_id: '1',
      channel: 'b2c',
      user_id: '0190b5f8-0000-7000-8000-00000000000a',
      session_id: '0190b5f8-0000-7000-8000-00000000000b',
      image_urls: ['https://images.example/a.jpg'],
      request_id: 'req_1',
    }
    const post = (path: string, body: string, type: string) =>
      fetch(server.url + path, { method: 'POST', body, headers: { 'content-type': type } })
    const place = (more: object = {}) =>
      post('/v1/rehearsal/orders', JSON.stringify({ ...order, ...more }), 'application/json')
    expect(await place()).toMatchObject({ status: 201 })
    expect(await place()).toMatchObject({ status: 409 })
    expect(await place({ charge: 'shopper' })).toMatchObject({ status: 400 })
    expect(await post('/v1/rehearsal/pictures', 'no picture', 'image/jpeg')).toMatchObject({ status: 422 })
    expect(await post('/v1/rehearsal/pictures', 'x', 'text/plain')).toMatchObject({ status: 415 })
  })
})

describe('the command line', () => {
  const here = (...args: string[]) => wearon(args, { DATA_DIR: folder })

  it('publishes, and shows the session with its facts until it has ended', async () => {
    const published = await here('publish', '--charge', '--watch')
    expect(published).toMatchObject({ code: 0, stderr: '' })
    expect(published.stdout).toMatch(/accepted: session [\s\S]*generation\.completed[\s\S]*completed http/)
    const id = /session (\S+)/.exec(published.stdout)?.[1] ?? ''
    expect((await here('sessions', 'list')).stdout).toContain(`${id}  completed`)
    expect((await here('sessions', 'show', id)).stdout).toMatch(
      /\+0\.00 s {2}generation\.requested[\s\S]*image {2}http/,
    )
    const { session, facts } = JSON.parse((await here('sessions', 'show', id, '--json')).stdout) as {
      session: object
      facts: object[]
    }
    expect(session).toMatchObject({ session_id: id, state: 'completed' })
    expect(facts).toHaveLength(3)
  })

  it('shows what operators ask for', async () => {
    await eventually(async () => expect((await here('projections', 'status')).stdout).toMatch(/sessions {4,}\d+ +0 /))
    expect((await here('projections', 'rebuild', 'sessions')).stdout).toContain('rebuilding sessions')
    expect(await here('reconcile')).toMatchObject({ code: 0, stdout: expect.stringContaining('balanced') as string })
    expect((await here('refunds')).stdout).toBe('no refunds\n')
    expect((await here('dead', 'list', '--json')).stdout).toBe('{"items":[],"next":null}\n')
    expect((await here('chart')).stdout).toContain('stateDiagram-v2')
  })

  it('says in one line why a command failed', async () => {
    const said = async (...args: string[]) => {
      const { code, stderr } = await here(...args)
      return [code, stderr.split('\n')[0]]
    }
    expect(await said('sessions', 'show', '0190b5f8-0000-7000-8000-000000000001')).toEqual([
      1,
      'wearon: No session with this id was accepted here. (session_unknown)',
    ])
    expect(await said('publish', '--person', '/nowhere.jpg')).toEqual([
      1,
      'wearon: /nowhere.jpg cannot be read (ENOENT)',
    ])
    expect(await said('repair', '3')).toEqual([
      1,
      'wearon: The partition is not damaged, or not held by this process. (repair_not_possible)',
    ])
    expect(await said('refunds', '--url', 'http://127.0.0.1:2')).toEqual([
      1,
      'wearon: no server answers at http://127.0.0.1:2 (ECONNREFUSED). Start one with "make dev", or name another with --url',
    ])
    expect(await said('migrate')).toEqual([2, 'wearon: the configuration has 1 problem:'])
    expect((await said('nonsense'))[0]).toBe(2)
  })

  it('simulates seeds and says how they ended', async () => {
    const { code, stdout } = await here('sim', '--seeds', '2')
    expect(code).toBe(0)
    expect(stdout).toMatch(/2 seeds in .* seeds\/s\nends: .*\nevery promise held\n/)
  })
})

describe('a process that cannot start', () => {
  const refused = (env: Record<string, string>) => launch(folder, { PARTITIONS: '8', ...env }).ended

  it('leaves a folder alone that another process has, and says who', async () => {
    const id = await publishDrawn(client)
    const { code, stderr } = await refused({})
    expect(code).toBe(1)
    expect(stderr).toBe(
      `wearon: ${folder} is in use by process ${server.child.pid} on ${readHolder(folder)?.host} (${server.url}). ` +
        'Stop it first, or choose another data folder.\n',
    )
    await reaches(client, id, 'completed')
  })

  it('says every fault of its configuration at once', async () => {
    const { code, stderr } = await refused({ PORT: 'http', WORKER_CONCURRENCY: '0' })
    expect(code).toBe(2)
    expect(stderr).toMatch(/^wearon: the configuration has 2 problems:\n {2}PORT .*\n {2}WORKER_CONCURRENCY .*\n$/)
  })

  it('says that its port is taken, and lets go of the folder', async () => {
    const elsewhere = await newDataFolder()
    const { code, stderr } = await launch(elsewhere, { PORT: new URL(server.url).port }).ended
    expect(code).toBe(1)
    expect(stderr).toMatch(/^wearon: the address 127\.0\.0\.1:\d+ is in use by another program: .*\n$/)
    expect(readHolder(elsewhere)).toBeNull()
    await removeFolder(elsewhere)
  })

  it('says when the data folder is none', async () => {
    const { code, stderr } = await launch(join(folder, 'lock.sqlite')).ended
    expect(code).toBe(1)
    expect(stderr).toMatch(/^wearon: .*DATA_DIR.*\n$/)
  })
})
