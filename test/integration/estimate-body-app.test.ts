import { execFileSync } from 'node:child_process'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { drawPerson } from '../../src/pictures/draw.ts'
import { serveRows } from '../support/attacks/attacked.ts'
import { head, says } from '../support/attacks/wire.ts'
import { newDataFolder, removeFolder } from '../support/data-folder.ts'
import { eventually } from '../support/eventually.ts'
import { networksAreHere } from '../support/pose.ts'
import { startServer } from '../support/server-process.ts'
import { json } from './http-world.ts'

const START_MS = 60_000
const TIMEOUT_MS = 120_000

/** The engine processes that another process runs. */
const enginesOf = (pid: number): number[] =>
  execFileSync('ps', ['-eo', 'pid=,ppid=,args='], { encoding: 'utf8' })
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter(([, parent, ...args]) => parent === String(pid) && args.join(' ').includes('adapters/pose/engine'))
    .map(([engine]) => Number(engine))

describe.skipIf(!networksAreHere)('a server that looks at photos', { timeout: TIMEOUT_MS }, () => {
  let folder: string
  let photos: Awaited<ReturnType<typeof serveRows>>
  beforeAll(async () => {
    folder = await newDataFolder()
    photos = await serveRows(new Map([['/person.jpg', says(head(), await drawPerson(0))]]))
  }, START_MS)
  afterAll(async () => {
    photos.server.close()
    await removeFolder(folder)
  })

  test('is ready before its models, then answers, and takes its engines with it', async () => {
    const host = `127.0.0.1:${photos.port}`
    const server = await startServer(folder, { POSE: 'on', POSE_BACKEND: 'wasm', POSE_WORKERS: '1', IMAGE_HOSTS: host })
    expect((await fetch(`${server.url}/readyz`)).status).toBe(200)
    const health = async () => json(await fetch(`${server.url}/health`))
    await eventually(async () => expect(await health()).toMatchObject({ size_rec_model_loaded: true }), START_MS)
    const engines = enginesOf(server.child.pid ?? 0)
    expect(engines).toHaveLength(1)
    // The first photo on a busy machine may come late: then it says so.
    await eventually(async () => {
      const answer = await fetch(`${server.url}/estimate-body`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ image_url: `http://${host}/person.jpg`, height_cm: 178 }),
      })
      expect(await json(answer)).toMatchObject({ measurements: { chest_cm: expect.any(Number) as unknown } })
    }, START_MS)
    server.child.kill('SIGTERM')
    const { code, stdout } = await server.ended
    expect(code).toBe(0)
    expect(stdout).not.toContain('person.jpg')
    for (const pid of engines) expect(() => process.kill(pid, 0)).toThrow('ESRCH')
  })

  test('starts no engine without the role api', async () => {
    const server = await startServer(folder, { POSE: 'on', ROLES: 'projector' })
    expect(await json(await fetch(`${server.url}/health`))).toMatchObject({
      size_rec_model_loaded: false,
      pose: { state: 'off' },
    })
    expect(enginesOf(server.child.pid ?? 0)).toEqual([])
    server.child.kill('SIGTERM')
    expect((await server.ended).code).toBe(0)
  })
})
