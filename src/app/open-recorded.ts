import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { openEmbedded } from '../adapters/postgres/embedded.ts'
import { openServer } from '../adapters/postgres/server.ts'
import type { Sql } from '../adapters/postgres/sql.ts'
import { openPostgresStore } from '../adapters/postgres/store.ts'
import { openSupabaseStore } from '../adapters/supabase/store.ts'
import { type Config, ConfigError } from '../config.ts'
import { assertNever } from '../events/assert-never.ts'
import type { Environment } from '../machines/ports/environment.ts'
import type { Store } from '../projections/store.ts'

/** What a deployment has recorded, to be read only: its migrations may be those of an earlier version. */
export interface OpenedRecorded {
  readonly store: Pick<Store, 'archive' | 'queries' | 'tables' | 'apiKeys' | 'pauses'>
  close(): Promise<void>
}

/** @throws FolderInUse when a server runs on the embedded database, SupabaseError, or what a database answers */
export const openRecorded = async (config: Config, env: Environment): Promise<OpenedRecorded> => {
  switch (config.store) {
    case 'supabase': {
      if (config.supabase === null) throw new Error('SUPABASE_URL is needed for STORE=supabase')
      return closing(openSupabaseStore(config.supabase, { env, rowsOwner: 'platform' }))
    }
    case 'postgres':
      return on(openServer({ url: config.databaseUrl ?? '', name: 'wearon replay' }), env)
    case 'embedded':
      return on(await openExisting(config.dataDir), env)
    default:
      return assertNever(config.store)
  }
}

const openExisting = async (dataDir: string): Promise<Sql> => {
  if (!existsSync(join(dataDir, 'database'))) throw new ConfigError([`DATA_DIR (${dataDir}) holds no database`])
  return openEmbedded(dataDir)
}

const on = (sql: Sql, env: Environment): OpenedRecorded => {
  const store = openPostgresStore(sql, { clock: env.clock, rowsOwner: 'ours' })
  return closing(store, () => sql.close())
}

const closing = (store: Store, close = async () => {}): OpenedRecorded => ({
  store,
  close: async () => {
    await store.close()
    await close()
  },
})
