import { afterAll, beforeAll, describe } from 'vitest'
import { migrate } from '../../src/adapters/postgres/migrate.ts'
import { openServer } from '../../src/adapters/postgres/server.ts'
import type { Sql } from '../../src/adapters/postgres/sql.ts'
import { eventLogContract, type SHAPE } from '../contracts/event-log.ts'
import { journalReadersContract } from '../contracts/journal-readers.ts'
import { freshDatabase } from '../support/fresh-database.ts'
import { postgresLogWorld } from '../support/postgres-log-world.ts'
import { hasPostgres, type PostgresServer, startPostgres } from '../support/postgres-server.ts'

describe.runIf(hasPostgres)('on a server', () => {
  let server: PostgresServer
  let url: string
  let sql: Sql

  beforeAll(async () => {
    server = await startPostgres()
    url = await server.database()
    sql = openServer({ url, connections: 1 })
    await migrate(sql)
  })
  afterAll(async () => {
    await sql.close()
    await server.stop()
  })

  const openWorld = async (shape: typeof SHAPE) => {
    await freshDatabase(sql)
    const opened: Sql[] = []
    const connect = () => {
      const connection = openServer({ url, connections: 3 })
      opened.push(connection)
      return connection
    }
    return postgresLogWorld(shape, connect, async () => {
      await Promise.all(opened.map((connection) => connection.close()))
    })
  }

  eventLogContract('postgres', openWorld)
  journalReadersContract('postgres', openWorld)
})
