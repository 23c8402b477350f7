import { clockDiagnosis, type Diagnosis, fail, ok, partitionsDiagnosis, warn } from '../../machines/ports/diagnosis.ts'
import type { Clock } from '../../machines/ports/environment.ts'
import { MigrationEdited, pending } from './migrate.ts'
import { openServer } from './server.ts'
import type { Sql } from './sql.ts'

/** The oldest one that its makers still mend, and that our migrations were tried on. */
const VERSION_MIN = 14

interface Settings {
  readonly version: number
  readonly fsync: string
  readonly full_page_writes: string
  readonly synchronous_commit: string
  readonly is_replica: boolean
  readonly at_ms: number
}

const SETTINGS = `
  select current_setting('server_version_num')::int / 10000 as version,
    current_setting('fsync') as fsync,
    current_setting('full_page_writes') as full_page_writes,
    current_setting('synchronous_commit') as synchronous_commit,
    pg_is_in_recovery() as is_replica,
    extract(epoch from clock_timestamp())::float8 * 1000 as at_ms`

/** Says how fit a PostgreSQL server is, and changes nothing. `partitions`: those of a log in it. Rejects with what it answered. */
export const diagnosePostgres = async (
  url: string,
  { partitions, clock }: { partitions: number | null; clock: Clock },
): Promise<Diagnosis[]> => {
  const sql = openServer({ url, connections: 1, name: 'wearon doctor' })
  try {
    const askedMs = clock.now()
    const [settings] = await sql.query<Settings>(SETTINGS)
    const answeredMs = clock.now()
    if (settings === undefined) throw new Error('the database does not tell its settings')
    return [
      versionDiagnosis(settings, new URL(url).host),
      ...durability(settings),
      clockDiagnosis('postgres', settings.at_ms, askedMs, answeredMs),
      await migrationsDiagnosis(sql),
      ...(partitions === null ? [] : [partitionsDiagnosis(await partitionsOf(sql), partitions)]),
    ]
  } finally {
    await sql.close()
  }
}

const versionDiagnosis = ({ version, is_replica: isReplica }: Settings, host: string): Diagnosis => {
  const says = `answers at ${host}, version ${version}`
  if (isReplica) return fail('postgres', `${says}, and is a replica`, 'DATABASE_URL must name the primary')
  if (version < VERSION_MIN) return warn('postgres', `${says}; tested are ${VERSION_MIN} and later`)
  return ok('postgres', says)
}

/** What a power cut would take, by the settings of the server as our connection has them. */
const durability = ({ fsync, full_page_writes, synchronous_commit }: Settings): Diagnosis[] => {
  const loose = Object.entries({ fsync, full_page_writes, synchronous_commit }).filter(([, value]) => value === 'off')
  if (loose.length === 0) return [ok('postgres settings', 'what was committed survives a power cut')]
  return loose.map(([name]) =>
    warn('postgres settings', `${name} is off: a power cut loses what was acknowledged`, `set ${name} = on`),
  )
}

const migrationsDiagnosis = async (sql: Sql): Promise<Diagnosis> => {
  try {
    return migrationsOf(await pending(sql), 'npm run wearon -- migrate')
  } catch (error) {
    if (error instanceof MigrationEdited) return fail('migrations', error.message)
    throw error
  }
}

/** By the names of those that a database lacks. */
export const migrationsOf = (missing: readonly string[], command: string): Diagnosis => {
  if (missing.length === 0) return ok('migrations', 'all are applied')
  return fail('migrations', `${missing.length} are not applied: ${missing.join(', ')}`, `apply them: ${command}`)
}

const partitionsOf = async (sql: Sql): Promise<number | null> => {
  const [table] = await sql.query<{ found: boolean }>(`select to_regclass('wearon.log_meta') is not null as found`)
  if (table?.found !== true) return null
  const [log] = await sql.query<{ partitions: number }>('select partitions from wearon.log_meta')
  return log?.partitions ?? null
}
