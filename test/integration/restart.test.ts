import { afterEach, beforeEach, expect, it } from 'vitest'
import { FactsAnswer } from '../../src/cli/answers.ts'
import { Client } from '../../src/cli/client.ts'
import { newDataFolder, removeFolder } from '../support/data-folder.ts'
import { eventually } from '../support/eventually.ts'
import { hasPostgres, type PostgresServer, startPostgres } from '../support/postgres-server.ts'
import { publishDrawn, reaches } from '../support/rehearse.ts'
import { end, launch, type Running, startServer, wearon } from '../support/server-process.ts'

let folder: string
const children: Running[] = []

beforeEach(async () => {
  folder = await newDataFolder()
})
afterEach(async () => {
  for (const { child } of children.splice(0)) child.kill('SIGKILL')
  await removeFolder(folder)
})

const startHere = async (env: Record<string, string> = {}) => {
  // One public address for every process, so that the pictures' URLs stay theirs.
  const server = await startServer(folder, { PARTITIONS: '8', PUBLIC_URL: 'http://wearon.test', ...env })
  children.push(server)
  return { server, client: new Client(server.url) }
}

const slow = { file: 'test/processes/slow-server.ts' }

const factsOf = async (client: Client, id: string) =>
  (await client.get(`/v1/generations/${id}/facts`, FactsAnswer)).items.map(({ type }) => type)

it('lets a running generation finish when it is asked to stop; it is neither failed nor refunded nor begun anew', async () => {
  const { server, client } = await startHere(slow)
  const ids = [await publishDrawn(client), await publishDrawn(client)]
  await Promise.all(ids.map((id) => reaches(client, id, 'processing')))
  expect(await end(server)).toMatchObject({ code: 0, stderr: '' })
  const again = await startHere()
  for (const id of ids) {
    await reaches(again.client, id, 'completed')
    expect(await factsOf(again.client, id)).toEqual([
      'generation.requested',
      'generation.started',
      'generation.completed',
    ])
  }
})

it('ends at once at a second signal, and the next process takes up what ran', async () => {
  const { server, client } = await startHere(slow)
  const id = await publishDrawn(client)
  await reaches(client, id, 'processing')
  // Twice in the same moment is one Ctrl-C, as npm passes it on.
  server.child.kill('SIGINT')
  server.child.kill('SIGINT')
  await eventually(async () => expect(await fetch(`${server.url}/readyz`)).toMatchObject({ status: 503 }))
  await eventually(() => {
    server.child.kill('SIGINT')
    expect(server.child.exitCode).toBe(1)
  })
  const again = await startHere()
  expect(await reaches(again.client, id, 'completed')).toMatchObject({ attempts: 2 })
})

it('ends with code 1 after an error that nobody foresaw, rather than going on in an unknown state', async () => {
  const { code, stdout } = await launch(folder, { file: 'test/processes/stumbling-server.ts' }).ended
  expect(code).toBe(1)
  expect(stdout).toMatch(/"level":"error".*stumbling-server\.ts:5.*"msg":"unforeseen error: the process ends"/)
})

it('keeps to the number of partitions that its log was made with, and serves only probes without the role api', async () => {
  const { server } = await startHere({ ROLES: 'worker' })
  expect(await fetch(`${server.url}/livez`)).toMatchObject({ status: 200 })
  expect(await fetch(`${server.url}/v1/generations`)).toMatchObject({ status: 404 })
  expect(await end(server)).toMatchObject({ code: 0 })
  const { code, stderr } = await launch(folder, { PARTITIONS: '16' }).ended
  expect(code).toBe(1)
  expect(stderr).toBe('wearon: the log has 8 partitions for good, not 16: set PARTITIONS=8\n')
})

it.skipIf(!hasPostgres)('on a server waits for its migrations, and needs no more than them', async () => {
  const postgres: PostgresServer = await startPostgres()
  try {
    const env = { DATABASE_URL: await postgres.database(), EVENT_LOG: 'postgres', PARTITIONS: '8' }
    const early = await launch(folder, env).ended
    expect(early.code).toBe(1)
    expect(early.stderr).toMatch(/^wearon: the database of DATABASE_URL lacks .* npm run wearon -- migrate\n$/)
    expect((await wearon(['migrate'], env)).stdout).toMatch(/applied \d+_wearon_platform\n/)
    expect((await wearon(['migrate'], env)).stdout).toContain('nothing to apply')
    const { server } = await startHere(env)
    expect(await fetch(`${server.url}/readyz`)).toMatchObject({ status: 200 })
    // What is no database of ours for sure is not played with.
    expect(await fetch(`${server.url}/v1/rehearsal/orders`, { method: 'POST' })).toMatchObject({ status: 404 })
    expect(await end(server)).toMatchObject({ code: 0, stderr: '' })
  } finally {
    await postgres.stop()
  }
})

it('names the database that does not answer', async () => {
  const env = { STORE: 'postgres', EVENT_LOG: 'postgres', DATABASE_URL: 'postgres://wearon@127.0.0.1:1/wearon' }
  const { code, stderr } = await launch(folder, env).ended
  expect(code).toBe(1)
  expect(stderr).toBe('wearon: the database 127.0.0.1:1 does not answer (ECONNREFUSED): see to DATABASE_URL\n')
})
