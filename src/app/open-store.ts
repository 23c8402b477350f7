import { migrationNames } from '../adapters/postgres/migrate.ts'
import { type PlatformView, platformView } from '../adapters/postgres/platform-view.ts'
import { postgresProducer } from '../adapters/postgres/producer.ts'
import type { Sql } from '../adapters/postgres/sql.ts'
import { openPostgresStore } from '../adapters/postgres/store.ts'
import { openSupabaseStore } from '../adapters/supabase/store.ts'
import type { Config } from '../config.ts'
import { assertNever } from '../events/assert-never.ts'
import type { Environment } from '../machines/ports/environment.ts'
import type { Producer } from '../projections/producer.ts'
import type { Store } from '../projections/store.ts'
import { MigrationsPending } from './migrations-pending.ts'

export interface OpenedStore {
  readonly store: Store
  /** The platform around us, played and seen on its tables; null where they may be the platform's. */
  readonly played: { readonly producer: Producer; readonly view: PlatformView } | null
  /** What an operator does when the store does not answer. */
  readonly remedy: string
}

/** The store that the configuration chose. `open` gives a migrated database. @throws MigrationsPending, SupabaseError */
export const openStore = async (
  config: Config,
  env: Environment,
  open: (kind: 'embedded' | 'postgres') => Promise<Sql>,
): Promise<OpenedStore> => {
  const { store: kind } = config
  switch (kind) {
    case 'supabase':
      return { store: await openSupabase(config, env), played: null, remedy: SUPABASE_REMEDY }
    case 'embedded':
    case 'postgres': {
      const sql = await open(kind)
      return {
        // On databases of our own nobody else makes session rows.
        store: openPostgresStore(sql, {
          clock: env.clock,
          rowsOwner: 'ours',
          ...(kind === 'embedded' && { tripsMax: 1 }),
        }),
        played: kind === 'embedded' ? { producer: postgresProducer(sql), view: platformView(sql) } : null,
        remedy: `See that the database answers (STORE=${kind}).`,
      }
    }
    default:
      return assertNever(kind)
  }
}

/** How the migrations of a project are applied. */
export const APPLY = '`supabase db push`, or `npm run wearon -- migrate` with DATABASE_URL'
const SUPABASE_REMEDY = `See that the project of SUPABASE_URL answers, and that its migrations are applied: ${APPLY}.`

const openSupabase = async ({ supabase }: Config, env: Environment): Promise<Store> => {
  if (supabase === null) throw new Error('SUPABASE_URL is needed for STORE=supabase')
  const store = openSupabaseStore(supabase, { env, rowsOwner: 'platform' })
  try {
    const applied = new Set(await store.appliedMigrations())
    const missing = (await migrationNames()).filter((name) => !applied.has(name))
    if (missing.length > 0) throw new MigrationsPending(missing, 'SUPABASE_URL', APPLY)
    return store
  } catch (error) {
    await store.close()
    throw error
  }
}
