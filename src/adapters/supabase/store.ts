import type { Environment } from '../../machines/ports/environment.ts'
import { ArchiveRefused, type RowsOwner, type Store } from '../../projections/store.ts'
import type { CallFunction } from '../shared/database/functions.ts'
import { databaseStore } from '../shared/database/store.ts'
import { repeatingCalls } from './calls.ts'
import { type Access, supabaseCalls } from './client.ts'
import { SupabaseError } from './errors.ts'
import { PolledGrowth } from './growth.ts'

export interface SupabaseStore extends Store {
  /** Names of the migrations that the project has, whoever applied them. @throws SupabaseError, Refused */
  appliedMigrations(): Promise<string[]>
}

/** Some hundreds of requests a second over a slow line, and one that hangs holds up only those with it. */
const TRIPS_MAX = 8

/** The store in a Supabase project, through the same functions as on a plain connection. */
export const openSupabaseStore = (
  access: Access,
  { env, rowsOwner }: { env: Environment; rowsOwner: RowsOwner },
): SupabaseStore => {
  const closing = new AbortController()
  const call = repeatingCalls(supabaseCalls(access), env, closing.signal)
  const growth = new PolledGrowth(async () => Number(await call('wearon_archive_head', {})), env.clock, closing.signal)
  const store = databaseStore(call, {
    rowsOwner,
    clock: env.clock,
    tripsMax: TRIPS_MAX,
    onGrowth: (listener) => growth.onGrowth(listener),
    close: async () => closing.abort(),
  })
  return {
    ...store,
    archive: {
      ...store.archive,
      append: async (log, steps) => {
        const outcome = await store.archive.append(log, steps).catch(refuseTooLarge)
        if (outcome !== 'moved') growth.grown()
        return outcome
      },
    },
    appliedMigrations: () => applied(call),
  }
}

/** Fewer steps at once may fit: that is how the archive goes on after a refusal. */
const refuseTooLarge = (error: unknown): never => {
  if (error instanceof SupabaseError && error.code === 'too_large')
    throw new ArchiveRefused(error.message, { cause: error })
  throw error
}

const applied = async (call: CallFunction): Promise<string[]> => {
  try {
    return (await call('wearon_applied_migrations', {})) as string[]
  } catch (error) {
    if (error instanceof SupabaseError && error.code === 'migrations_missing') return []
    throw error
  }
}
