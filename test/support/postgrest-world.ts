import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { migrate } from '../../src/adapters/postgres/migrate.ts'
import { openServer } from '../../src/adapters/postgres/server.ts'
import type { Sql } from '../../src/adapters/postgres/sql.ts'
import type { Access } from '../../src/adapters/supabase/client.ts'
import { openSupabaseStore } from '../../src/adapters/supabase/store.ts'
import { realClock } from './clock.ts'
import { quietEnvironment } from './environment.ts'
import { freshDatabase } from './fresh-database.ts'
import { startPostgres } from './postgres-server.ts'
import { type PostgrestServer, startPostgrest } from './postgrest-server.ts'
import { sqlStoreWorld } from './sql-store-world.ts'
import type { StoreWorld } from './store-world.ts'

/** A Supabase project with our migrations, and a plain connection beside it for what the platform does by itself. */
export interface Project {
  readonly access: Access
  readonly sql: Sql
  /** A new world: every table is emptied. */
  openWorld(): Promise<StoreWorld>
  close(): Promise<void>
}

const fixture = (name: string) => readFile(join(import.meta.dirname, name), 'utf8')

/** The double of PostgREST in front of a PostgreSQL of its own, with the platform's schema. */
export const startProject = async (): Promise<
  Project & { readonly postgrest: PostgrestServer; readonly databaseUrl: string }
> => {
  const server = await startPostgres()
  const url = await server.database()
  const sql = openServer({ url })
  await sql.script(await fixture('postgrest-roles.sql'))
  await sql.script(await fixture('postgrest-owner.sql'))
  await fill(as(url, 'project_owner'))
  const postgrest = await startPostgrest(as(url, 'authenticator'))
  const project = projectOf({ url: postgrest.url, key: postgrest.keys.secret }, sql)
  return {
    ...project,
    postgrest,
    databaseUrl: url,
    close: async () => {
      await postgrest.close()
      await project.close()
      await server.stop()
    },
  }
}

/** The same database as another user. */
const as = (url: string, user: string): string => url.replace('postgres@', `${user}@`)

/** The platform's schema, and ours on top. */
const fill = async (url: string): Promise<void> => {
  const owner = openServer({ url, connections: 1 })
  await owner.script(await fixture('../fixtures/platform.sql'))
  await migrate(owner)
  await owner.close()
}

/**
 * A real project, migrated already, with `databaseUrl` as the way beside it. Its tables are emptied: one that holds accounts
 * is refused.
 */
export const realProject = async (access: Access, databaseUrl: string): Promise<Project> => {
  const sql = openServer({ url: databaseUrl })
  const [held] = await sql.query<{ accounts: number }>(
    'select (select count(*) from public.users) + (select count(*) from public.stores) as accounts',
  )
  if (held?.accounts !== 0) throw new Error('this project holds users or stores, and the tests would delete them')
  const project = projectOf(access, sql)
  return {
    ...project,
    close: async () => {
      await freshDatabase(sql)
      await project.close()
    },
  }
}

const projectOf = (access: Access, sql: Sql): Project => ({
  access,
  sql,
  openWorld: async () => {
    await freshDatabase(sql)
    return sqlStoreWorld(
      () => sql,
      async () => {},
      (rowsOwner) => openSupabaseStore(access, { env: quietEnvironment(realClock), rowsOwner }),
    )
  },
  close: () => sql.close(),
})
