import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openEmbedded } from '../../src/adapters/postgres/embedded.ts'
import { openPostgresLog } from '../../src/adapters/postgres/event-log.ts'
import { migrate } from '../../src/adapters/postgres/migrate.ts'
import { openServer } from '../../src/adapters/postgres/server.ts'
import type { Sql } from '../../src/adapters/postgres/sql.ts'
import { freshDatabase } from '../../test/support/fresh-database.ts'
import { type PostgresServer, startPostgres } from '../../test/support/postgres-server.ts'
import { benchEnvironment } from '../support/environment.ts'
import type { FreshLog } from './ours.ts'
import { PARTITIONS } from './redis-log.ts'

/** As PostgreSQL is by default: what it acknowledged survives a power cut. */
export const DURABLE: readonly string[] = []

/** A place where fresh logs can be opened, one after the other. */
export interface LogPlace {
  open(): Promise<FreshLog>
  close(): Promise<void>
}

export const postgresPlace = async (): Promise<LogPlace> => {
  const server: PostgresServer = await startPostgres(DURABLE)
  const sql = openServer({ url: await server.database() })
  await migrate(sql)
  return {
    open: () => openEmptied(sql, false),
    close: async () => {
      await sql.close()
      await server.stop()
    },
  }
}

/** PGlite in a folder, as the program uses it without any configuration. */
export const embeddedPlace = async (): Promise<LogPlace> => {
  const folder = await mkdtemp(join(tmpdir(), 'wearon-bench-'))
  const sql = await openEmbedded(folder)
  await migrate(sql)
  return {
    open: () => openEmptied(sql, true),
    close: async () => {
      await sql.close()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

const openEmptied = async (sql: Sql, alone: boolean): Promise<FreshLog> => {
  await freshDatabase(sql)
  const { clock, newId } = benchEnvironment
  const log = await openPostgresLog({ sql, alone, partitions: PARTITIONS, clock, newId })
  return { log, close: () => log.close() }
}
