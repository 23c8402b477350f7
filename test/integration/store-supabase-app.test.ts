import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Client } from '../../src/cli/client.ts'
import { eventually } from '../support/eventually.ts'
import { publishForUser, servePictures } from '../support/platform-task.ts'
import { hasPostgres } from '../support/postgres-server.ts'
import { startProject } from '../support/postgrest-world.ts'
import { reaches } from '../support/rehearse.ts'
import { end, launch, type Server, startServer } from '../support/server-process.ts'
import type { StoreWorld } from '../support/store-world.ts'

describe.runIf(hasPostgres)('a process with its store in a Supabase project', () => {
  let project: Awaited<ReturnType<typeof startProject>>
  let world: StoreWorld
  let pictures: Awaited<ReturnType<typeof servePictures>>
  let folder: string
  let server: Server
  let environment: Record<string, string>

  beforeAll(async () => {
    project = await startProject()
    world = await project.openWorld()
    pictures = await servePictures()
    folder = await mkdtemp(join(tmpdir(), 'wearon-data-'))
    environment = {
      SUPABASE_URL: project.access.url,
      SUPABASE_SERVICE_ROLE_KEY: project.access.key,
      OBJECTS: 'folder',
      EVENT_LOG: 'postgres',
      DATABASE_URL: project.databaseUrl,
      PARTITIONS: '4',
      IMAGE_HOSTS: pictures.host,
    }
    server = await startServer(folder, environment)
  })
  afterAll(async () => {
    await end(server)
    await rm(folder, { recursive: true })
    pictures.close()
    await project.close()
  })

  const publish = (imageUrls: readonly string[]) => publishForUser(world, server.url, imageUrls)

  it("completes the platform's row, and keeps the credit", async () => {
    const { user, session } = await publish(pictures.urls)
    await reaches(new Client(server.url), session, 'completed')
    await eventually(async () =>
      expect(await world.row(session)).toMatchObject({ status: 'completed', state: 'completed' }),
    )
    expect(await world.balance(user)).toBe(9)
  })

  it('gives the credit of a failed session back', async () => {
    const { user, session } = await publish(['http://169.254.169.254/person.jpg', pictures.urls[1]])
    await reaches(new Client(server.url), session, 'refunded')
    await eventually(async () =>
      expect(await world.row(session)).toMatchObject({ status: 'failed', state: 'refunded' }),
    )
    expect(await world.balance(user)).toBe(10)
    expect(await world.refunds(user)).toEqual([`refund:${session}`])
  })

  it('is not ready while Supabase does not answer, and says where to look', async () => {
    expect((await fetch(`${server.url}/readyz`)).status).toBe(200)
    await eventually(async () => {
      project.postgrest.fail(...Array.from({ length: 20 }, () => ({ status: 401 })))
      const response = await fetch(`${server.url}/readyz`)
      expect(response.status).toBe(503)
      expect(await response.text()).toContain('SUPABASE_URL')
    })
    project.postgrest.recover()
    await eventually(async () => expect((await fetch(`${server.url}/readyz`)).status).toBe(200))
  })

  it('refuses to start before the migrations are applied, and names the commands', async () => {
    await project.sql.query(`delete from wearon.migrations where name like '%applied'`)
    const { code, stderr, stdout } = await launch(folder, environment).ended
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    expect(stderr).toMatch(/lacks 1 migration .*_wearon_applied.*supabase db push.*npm run wearon -- migrate/)
    expect(stderr).not.toContain(project.access.key)
  })
})
