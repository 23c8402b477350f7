import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Queryable, Sql } from './sql.ts'

const MIGRATIONS = join(import.meta.dirname, '../../../supabase/migrations')

/** Taken by every runner before it looks, so that two that start together apply each file once. Any fixed number does. */
const RUNNER_LOCK = 7_340_019

interface Migration {
  /** The file's name without `.sql`. */
  readonly name: string
  readonly text: string
  readonly sha256: string
}

/** An applied migration is not what it was: what the database holds and what the file says would differ from now on. */
export class MigrationEdited extends Error {
  override readonly name = 'MigrationEdited'

  constructor(names: readonly string[]) {
    super(
      `these migrations were edited after they had been applied: ${names.join(', ')}. Undo the edit and add a new file.`,
    )
  }
}

/** Applies what is pending, in order of name, each file in one transaction. Answers their names. @throws MigrationEdited */
export const migrate = async (sql: Sql, folder: string = MIGRATIONS): Promise<string[]> => {
  const migrations = await readMigrations(folder)
  await sql.transaction(async (on) => {
    await takeTurn(on)
    await on.script(bookkeeping)
    notApplied(migrations, await recorded(on))
  })
  const applied: string[] = []
  for (const migration of migrations) if (await apply(sql, migration)) applied.push(migration.name)
  return applied
}

/** The names of the migrations that the database still needs; empty when it is ready. @throws MigrationEdited */
export const pending = async (sql: Queryable, folder: string = MIGRATIONS): Promise<string[]> =>
  notApplied(await readMigrations(folder), await recorded(sql)).map(({ name }) => name)

/** The names of all migrations that this program needs. */
export const migrationNames = async (folder: string = MIGRATIONS): Promise<string[]> =>
  (await readMigrations(folder)).map(({ name }) => name)

const bookkeeping = `
  create schema if not exists wearon;
  create table if not exists wearon.migrations (
    name text primary key,
    sha256 text not null,
    applied_at timestamptz not null default now()
  );`

const apply = (sql: Sql, migration: Migration): Promise<boolean> =>
  sql.transaction(async (on) => {
    await takeTurn(on)
    if ((await recorded(on)).has(migration.name)) return false
    await on.script(migration.text)
    await on.query('insert into wearon.migrations (name, sha256) values ($1, $2)', [migration.name, migration.sha256])
    return true
  })

const takeTurn = (on: Queryable) => on.query('select pg_advisory_xact_lock($1::bigint)', [RUNNER_LOCK])

const recorded = async (on: Queryable): Promise<Map<string, string>> => {
  const [table] = await on.query<{ found: boolean }>(`select to_regclass('wearon.migrations') is not null as found`)
  if (table?.found !== true) return new Map()
  const rows = await on.query<{ name: string; sha256: string }>('select name, sha256 from wearon.migrations')
  return new Map(rows.map(({ name, sha256 }) => [name, sha256]))
}

const notApplied = (migrations: readonly Migration[], applied: ReadonlyMap<string, string>): Migration[] => {
  const edited = migrations.filter(({ name, sha256 }) => applied.has(name) && applied.get(name) !== sha256)
  if (edited.length > 0) throw new MigrationEdited(edited.map(({ name }) => name))
  return migrations.filter(({ name }) => !applied.has(name))
}

const readMigrations = async (folder: string): Promise<Migration[]> => {
  const names = (await readdir(folder)).filter((name) => name.endsWith('.sql')).toSorted()
  return Promise.all(names.map((name) => readMigration(folder, name)))
}

const readMigration = async (folder: string, file: string): Promise<Migration> => {
  // A checkout may have turned the line ends; that is no edit.
  const text = (await readFile(join(folder, file), 'utf8')).replaceAll('\r\n', '\n')
  return { name: file.slice(0, -'.sql'.length), text, sha256: createHash('sha256').update(text).digest('hex') }
}
