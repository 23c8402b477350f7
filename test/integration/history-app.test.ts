import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { migrate } from '../../src/adapters/postgres/migrate.ts'
import { openServer } from '../../src/adapters/postgres/server.ts'
import type { Sql } from '../../src/adapters/postgres/sql.ts'
import { Client } from '../../src/cli/client.ts'
import type { Owner } from '../../src/events/owner.ts'
import { eventually } from '../support/eventually.ts'
import { hasPostgres, type PostgresServer, startPostgres } from '../support/postgres-server.ts'
import { reaches } from '../support/rehearse.ts'
import { end, run, type Server, startServer } from '../support/server-process.ts'
import { sqlStoreWorld } from '../support/sql-store-world.ts'
import { newStore, newUser, order, type StoreWorld } from '../support/store-world.ts'

const HOUR_MS = 3_600_000

describe.runIf(hasPostgres)('a process on a database that was there before', () => {
  let postgres: PostgresServer
  let sql: Sql
  let world: StoreWorld
  let folder: string
  let server: Server

  beforeAll(async () => {
    postgres = await startPostgres()
    const databaseUrl = await postgres.database()
    sql = openServer({ url: databaseUrl })
    await migrate(sql)
    world = sqlStoreWorld(
      () => sql,
      async () => {},
    )
    folder = await mkdtemp(join(tmpdir(), 'wearon-data-'))
    server = await startServer(folder, {
      EVENT_LOG: 'postgres',
      STORE: 'postgres',
      DATABASE_URL: databaseUrl,
      PARTITIONS: '4',
    })
  })
  afterAll(async () => {
    await end(server)
    await rm(folder, { recursive: true })
    await sql.close()
    await postgres.stop()
  })

  const wearon = async (...args: readonly string[]) => {
    const { code, stdout, stderr } = await run('src/cli/wearon.ts', [...args, '--url', server.url, '--json']).ended
    return { code, stderr, answer: JSON.parse(stdout || 'null') as Record<string, unknown> }
  }
  const rowOf = async (owner: Owner, ms: number, ended?: 'completed' | 'failed') => {
    const placed = order(owner)
    await world.producer.order(placed)
    if (ended !== undefined) await world.play.edit(placed.sessionId, ended)
    await world.age(placed.sessionId, ms)
    return placed.sessionId
  }
  const unreturned = async () => (await wearon('backfill', 'list')).answer['items'] as Record<string, unknown>[]

  it('imports its rows without paying, pays what a person approves, and gives up a row without a task', async () => {
    const [store, user] = [newStore(), newUser()]
    const [lost, users] = [await rowOf(store, 30 * HOUR_MS, 'failed'), await rowOf(user, 30 * HOUR_MS, 'failed')]
    await rowOf(user, 30 * HOUR_MS, 'completed')
    const orphan = await rowOf(store, HOUR_MS)

    expect((await wearon('backfill', '--dry-run')).answer).toMatchObject({ completed: 1, failed: 2 })
    expect((await wearon('backfill', '--by', 'ada')).answer).toMatchObject({ completed: 1, failed: 2 })
    await eventually(async () => expect(await unreturned()).toHaveLength(2))
    expect((await wearon('backfill', '--by', 'ada')).answer).toMatchObject({ completed: 0, failed: 0 })
    expect(await world.balance(store)).toBe(8)

    const file = join(folder, 'approved.csv')
    await writeFile(file, `session_id,credits\r\n${lost},1\r\n${users},1\r\n`)
    const approved = await wearon('backfill', 'approve', file, '--by', 'ada', '--why', 'checked the ledger')
    expect([approved.code, approved.answer]).toMatchObject([1, { approved: 1, credits: 1 }])
    const client = new Client(server.url)
    await reaches(client, lost, 'refunded')
    expect(await world.balance(store)).toBe(9)
    expect((await unreturned()).map((one) => one['session_id'])).toEqual([users])

    const listed = (await wearon('orphans')).answer['items'] as Record<string, unknown>[]
    expect(listed).toMatchObject([{ class: 'orphan_row', session_id: orphan, settles: 'by hand' }])
    expect((await wearon('orphans', 'settle', orphan, '--by', 'ada')).code).toBe(0)
    expect(await reaches(client, orphan, 'refunded')).toMatchObject({ failure_code: 'task_lost' })
    expect(await world.balance(store)).toBe(10)

    const id = store.channel === 'b2b' ? store.storeId : ''
    expect((await wearon('erase', '--store', id, '--by', 'ada')).answer).toMatchObject({ sessions: 2, open: 0 })
    expect((await wearon('erase', '--store', id, '--by', 'ada')).answer).toMatchObject({ sessions: 0 })
    const audit = await sql.query('select requested_by, owner_id, sessions from wearon.erasures order by requested_at')
    expect(audit).toEqual([2, 0].map((sessions) => ({ requested_by: 'ada', owner_id: id, sessions })))
  })
})
