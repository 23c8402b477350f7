import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openProxy } from '../../chaos/proxy.ts'
import { openPostgresLog } from '../../src/adapters/postgres/event-log.ts'
import { openNews } from '../../src/adapters/postgres/log-news.ts'
import { migrate } from '../../src/adapters/postgres/migrate.ts'
import { openServer } from '../../src/adapters/postgres/server.ts'
import { logOutageLaw } from '../contracts/log-outage.ts'
import { realClock } from '../support/clock.ts'
import { eventually } from '../support/eventually.ts'
import { faulty } from '../support/faulty-sql.ts'
import { hasPostgres, type PostgresServer, startPostgres } from '../support/postgres-server.ts'

/** Nothing listens there. */
const CLOSED_PORT = 1

describe.runIf(hasPostgres)('the postgres event log', () => {
  let server: PostgresServer

  beforeAll(async () => {
    server = await startPostgres()
  })
  afterAll(() => server.stop())

  logOutageLaw(async () => {
    const sql = openServer({ url: await server.database() })
    await migrate(sql)
    const log = await openPostgresLog({ sql, partitions: 2, clock: realClock, newId: randomUUID, leaseTtlMs: 30_000 })
    const close = async () => {
      await log.close()
      await sql.close()
    }
    return { log, restart: () => server.restart(), close }
  })

  it('says that nothing is heard while the server is away, and hears again once it is back', async () => {
    const faults: unknown[] = []
    const heard: string[] = []
    const url = new URL(await server.database())
    const port = Number(url.port)
    let isAway = false
    const proxy = await openProxy(() => (isAway ? CLOSED_PORT : port))
    url.port = String(proxy.port)
    // What a listener answers counts for nothing.
    const sql = openServer({ url: url.href, onFault: (error) => faults.push(error) })
    await sql.listen('news', (payload) => heard.push(payload))
    isAway = true
    proxy.cut()
    // The connection was lost, and a try to open it again failed.
    await eventually(() => expect(faults.length).toBeGreaterThan(1))
    isAway = false
    await eventually(async () => {
      await sql.query(`select pg_notify('news', 'again')`)
      expect(heard).toContain('again')
    })
    await sql.close()
    await proxy.close()
  })

  it('says that it cannot look for news', async () => {
    const errors: unknown[] = []
    const sql = faulty(openServer({ url: await server.database() }))
    const onError = (error: unknown) => errors.push(error)
    const news = await openNews(sql, { clock: realClock, pollMs: 10, onError })
    news.onGrowth(() => undefined)
    sql.cut()
    await eventually(() => expect(errors).toContainEqual(new Error('connection lost')))
    await news.close()
    await sql.close()
  })
})
