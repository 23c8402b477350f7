import { afterAll, beforeAll, describe } from 'vitest'
import { migrate } from '../../src/adapters/postgres/migrate.ts'
import { openServer } from '../../src/adapters/postgres/server.ts'
import type { Sql } from '../../src/adapters/postgres/sql.ts'
import { platformContract } from '../contracts/platform.ts'
import { reconciliationContract } from '../contracts/reconciliation.ts'
import { settlementContract } from '../contracts/settlement.ts'
import { storeContract } from '../contracts/store.ts'
import { freshDatabase } from '../support/fresh-database.ts'
import { hasPostgres, type PostgresServer, startPostgres } from '../support/postgres-server.ts'
import { sqlStoreWorld } from '../support/sql-store-world.ts'

describe.runIf(hasPostgres)('on a server', () => {
  let server: PostgresServer
  let url: string
  let sql: Sql

  beforeAll(async () => {
    server = await startPostgres()
    url = await server.database()
    sql = openServer({ url })
    await migrate(sql)
  })
  afterAll(async () => {
    await sql.close()
    await server.stop()
  })

  const openWorld = async () => {
    await freshDatabase(sql)
    const opened: Sql[] = []
    const connect = () => {
      const connection = openServer({ url, connections: 2 })
      opened.push(connection)
      return connection
    }
    return sqlStoreWorld(connect, async () => {
      await Promise.all(opened.map((connection) => connection.close()))
    })
  }

  platformContract('postgres', openWorld)
  settlementContract('postgres', openWorld)
  reconciliationContract('postgres', openWorld)
  storeContract('postgres', openWorld)
})
