import type { Clock } from '../../machines/ports/environment.ts'
import type { RowsOwner, Store } from '../../projections/store.ts'
import { type CallFunction, isRefusal, Refused } from '../shared/database/functions.ts'
import { databaseStore } from '../shared/database/store.ts'
import { growth } from './growth.ts'
import type { Sql } from './sql.ts'

/** Leaves most of a server's connections to the log and the projections. */
const TRIPS_MAX = 2

/** The store on a PostgreSQL whose migrations are applied. The connection stays the caller's. */
export const openPostgresStore = (
  sql: Sql,
  { rowsOwner, clock, tripsMax = TRIPS_MAX }: { rowsOwner: RowsOwner; clock: Clock; tripsMax?: number },
): Store => {
  const { onGrowth, close } = growth(sql, 'wearon_archive')
  return databaseStore(callOn(sql), { rowsOwner, clock, tripsMax, onGrowth, close })
}

const callOn =
  (sql: Sql): CallFunction =>
  async (name, args) => {
    const named = Object.keys(args).map((argument, index) => `${argument} => $${index + 1}`)
    try {
      const text = `select public.${name}(${named.join(', ')}) as result`
      const [row] = await sql.query<{ result: unknown }>(text, Object.values(args).map(jsonText))
      return row?.result
    } catch (error) {
      throw refusal(error) ?? error
    }
  }

const jsonText = (value: unknown): unknown =>
  typeof value === 'object' && value !== null ? JSON.stringify(value) : value

const refusal = (error: unknown): Refused | null => {
  const code = (error as { code?: unknown } | null)?.code
  return isRefusal(code) ? new Refused(code, (error as Error).message, { cause: error }) : null
}
