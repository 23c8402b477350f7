import { randomUUID } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { openSupabaseObjects } from '../../src/adapters/supabase/objects.ts'
import { SessionAnswer } from '../../src/cli/answers.ts'
import { Client } from '../../src/cli/client.ts'
import { sniff } from '../../src/pictures/sniff.ts'
import { realClock } from '../support/clock.ts'
import { quietEnvironment } from '../support/environment.ts'
import { eventually } from '../support/eventually.ts'
import { publishForUser, servePictures } from '../support/platform-task.ts'
import { hasPostgres } from '../support/postgres-server.ts'
import { startProject } from '../support/postgrest-world.ts'
import { reaches } from '../support/rehearse.ts'
import { end, launch, type Server, startServer } from '../support/server-process.ts'
import { BAD_GATEWAY, type StorageServer, startStorage } from '../support/storage-server.ts'
import type { StoreWorld } from '../support/store-world.ts'
import { startGateway } from '../support/supabase-gateway.ts'

const Linked = SessionAnswer.extend({ image_state: z.string().nullable(), image_url_expires_at: z.string().nullable() })
const Erased = z.object({ sessions: z.number(), objects: z.number() })
const Orphans = z.object({ items: z.array(z.object({ session_id: z.string(), class: z.string() })) })
const MINUTE_MS = 60_000

describe.runIf(hasPostgres)('a process with nothing but SUPABASE_URL and the key of the service role', () => {
  let project: Awaited<ReturnType<typeof startProject>>
  let storage: StorageServer
  let gateway: Awaited<ReturnType<typeof startGateway>>
  let pictures: Awaited<ReturnType<typeof servePictures>>
  let world: StoreWorld
  let folder: string
  let environment: Record<string, string>
  let server: Server
  const orphan = randomUUID()

  beforeAll(async () => {
    project = await startProject()
    world = await project.openWorld()
    storage = await startStorage({ keys: project.postgrest.keys })
    gateway = await startGateway({ '/rest/': project.postgrest.url, '/storage/': storage.url })
    pictures = await servePictures()
    folder = await mkdtemp(join(tmpdir(), 'wearon-data-'))
    environment = {
      SUPABASE_URL: gateway.url,
      SUPABASE_SERVICE_ROLE_KEY: project.access.key,
      IMAGE_HOSTS: pictures.host,
      PARTITIONS: '4',
    }
    storage.pass(-20 * MINUTE_MS)
    await bucket().put(`stores/${randomUUID()}/generated/${orphan}.jpg`, Buffer.from('ffd8ff', 'hex'), {})
    storage.pass(20 * MINUTE_MS)
    server = await startServer(folder, environment)
  })
  afterAll(async () => {
    await end(server)
    await rm(folder, { recursive: true })
    pictures.close()
    await gateway.close()
    await storage.close()
    await project.close()
  })

  const bucket = () =>
    openSupabaseObjects({ url: gateway.url, key: project.access.key }, { env: quietEnvironment(realClock) })
  const client = () => new Client(server.url)
  const linked = (session: string) => client().get(`/v1/generations/${session}`, Linked)
  const completed = async () => {
    const { user, userId, session } = await publishForUser(world, server.url, pictures.urls)
    await reaches(client(), session, 'completed')
    return { user, userId, session, path: `generated/${userId}/${session}.jpg` }
  }
  /** What the platform's job does every midnight with rows that are older than 6 hours. */
  const expire = (session: string) =>
    project.sql.query(`update public.generation_sessions set generated_image_url = 'expired' where id = $1`, [session])
  const signed = (path: string) =>
    storage.requests.filter(({ name }) => name.startsWith('POST') && name.includes(`sign/virtual-tryon-images/${path}`))

  it('runs the whole job: the image lies under its path with what it took, and its URL opens', async () => {
    const { session, path } = await completed()
    expect(await bucket().find(path)).toMatchObject({ provenance: { generator: 'preview' } })
    const { image_url: url, image_state: state } = await linked(session)
    expect(state).toBe('available')
    expect(url).toContain(`${gateway.url}/storage/v1/object/sign/virtual-tryon-images/${path}?token=`)
    expect(sniff(new Uint8Array(await (await fetch(url ?? '')).arrayBuffer()))).toBe('jpeg')
    expect(signed(path)).toHaveLength(1)
    expect((await world.row(session))?.imageUrl).toBe(url)
  })

  it('signs again on demand while the image lives, and not for each poll', async () => {
    const { session, path } = await completed()
    await expire(session)
    const links = [await linked(session), await linked(session), await linked(session)]
    expect(new Set(links.map(({ image_url: url }) => url)).size).toBe(1)
    expect((await fetch(links[0]?.image_url ?? '')).status).toBe(200)
    expect(Date.parse(links[0]?.image_url_expires_at ?? '')).toBeGreaterThan(Date.now() + 355 * MINUTE_MS)
    expect(signed(path)).toHaveLength(2)
  })

  it('says that an image is expired once it is deleted', async () => {
    const { session, path } = await completed()
    await expire(session)
    await bucket().remove([path])
    expect(await linked(session)).toMatchObject({ state: 'completed', image_url: null, image_state: 'expired' })
  })

  it('removes the image of a user who is erased', async () => {
    const { userId, session, path } = await completed()
    const { image_url: url } = await linked(session)
    expect(await client().post('/v1/erasures', { by: 'ada', user: userId }, Erased)).toMatchObject({
      sessions: 1,
      objects: 1,
    })
    expect(await bucket().find(path)).toBeNull()
    expect((await fetch(url ?? '')).status).toBe(400)
    expect(await linked(session)).toMatchObject({ image_url: null, image_state: 'expired' })
  })

  it('finds an image without a completed session', async () => {
    await eventually(async () => {
      const { items } = await client().get('/v1/orphans?class=orphan_object', Orphans)
      expect(items).toEqual([{ class: 'orphan_object', session_id: orphan }])
    })
  })

  it('completes the session although the storage is down for a while, and loses no image', async () => {
    const { session } = await publishForUser(world, server.url, pictures.urls)
    storage.fail(...Array.from({ length: 3 }, () => BAD_GATEWAY))
    await reaches(client(), session, 'completed')
    expect(await (await fetch(`${server.url}/metrics`)).text()).toMatch(
      /supabase_failures_total\{code="failed"\} [1-9]/,
    )
    storage.recover()
  })

  it('is not ready while the storage does not answer, and says where to look', async () => {
    await eventually(async () => {
      storage.fail(...Array.from({ length: 50 }, () => BAD_GATEWAY))
      const response = await fetch(`${server.url}/readyz`)
      storage.recover()
      expect(response.status).toBe(503)
      expect(await response.text()).toContain('virtual-tryon-images')
    })
    await eventually(async () => expect((await fetch(`${server.url}/readyz`)).status).toBe(200))
  })

  it('does not start without the bucket, and names it', async () => {
    storage.dropBucket()
    const other = await mkdtemp(join(tmpdir(), 'wearon-data-'))
    const { code, stderr, stdout } = await launch(other, environment).ended
    await rm(other, { recursive: true })
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    expect(stderr).toMatch(/^wearon: bucket: Supabase has no such bucket.*create virtual-tryon-images/)
    expect(stderr).not.toContain(project.access.key)
  })
})
