import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe } from 'vitest'
import { openPostgresLog } from '../../src/adapters/postgres/event-log.ts'
import { migrate } from '../../src/adapters/postgres/migrate.ts'
import { openServer } from '../../src/adapters/postgres/server.ts'
import { logOutageLaw } from '../contracts/log-outage.ts'
import { realClock } from '../support/clock.ts'
import { hasPostgres, type PostgresServer, startPostgres } from '../support/postgres-server.ts'

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
})
