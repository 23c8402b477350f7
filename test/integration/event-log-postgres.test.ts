import { afterAll, beforeAll, describe } from 'vitest'
import { migrate } from '../../src/adapters/postgres/migrate.ts'
import { openServer } from '../../src/adapters/postgres/server.ts'
import type { Sql } from '../../src/adapters/postgres/sql.ts'
import { eventLogContract, type SHAPE } from '../contracts/event-log.ts'
import { journalReadersContract } from '../contracts/journal-readers.ts'
import { postgresLogWorld } from '../support/postgres-log-world.ts'
import { hasPostgres, type PostgresServer, startPostgres } from '../support/postgres-server.ts'

describe.runIf(hasPostgres)('on a server', () => {
  let server: PostgresServer

  beforeAll(async () => {
    server = await startPostgres()
  })
  afterAll(() => server.stop())

  const openWorld = async (shape: typeof SHAPE) => {
    const url = await server.database()
    const opened: Sql[] = []
    const connect = () => {
      const sql = openServer({ url, connections: 3 })
      opened.push(sql)
      return sql
    }
    await migrate(connect())
    return postgresLogWorld(shape, connect, async () => {
      await Promise.all(opened.map((sql) => sql.close()))
    })
  }

  eventLogContract('postgres', openWorld)
  journalReadersContract('postgres', openWorld)
})
