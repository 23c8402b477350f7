import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { migrate } from '../../src/adapters/postgres/migrate.ts'
import { openServer } from '../../src/adapters/postgres/server.ts'
import type { Sql } from '../../src/adapters/postgres/sql.ts'
import { dumpSchema, hasPostgres, type PostgresServer, startPostgres } from '../support/postgres-server.ts'

const read = (path: string) => readFile(join(import.meta.dirname, '..', path), 'utf8')

/** The entries of a dump, by their headers: `Name: stores; Type: TABLE; Schema: public; Owner: -`. */
const entriesOf = (dump: string): Map<string, string> => {
  // Between the entries stand settings of the session that reads the dump, and tokens that differ each time.
  const schema = dump.replaceAll(/^(SET default_|\\).*$/gm, '')
  const [, ...parts] = schema.split(/^--\n-- (?=Name: )/m)
  return new Map(parts.map((part) => [part.slice(0, part.indexOf('\n')), part.slice(part.indexOf('\n--\n')).trim()]))
}

const OUR_COLUMNS = /^ {4}(state|seq|attempts|failure_code|result_path|url_expires_at|origin) /
const OUR_CHECK = /^ {4}CONSTRAINT (store_)?generation_sessions_state_check /

/** The same text without the columns that we add to the session rows; commas are the dump's, not the schema's. */
const withoutOurs = (header: string, text: string): string => {
  if (!/^Name: (store_)?generation_sessions; Type: TABLE;/.test(header)) return text
  const lines = text.split('\n').filter((line) => !OUR_COLUMNS.test(line) && !OUR_CHECK.test(line))
  return lines.map((line) => line.replace(/,$/, '')).join('\n')
}

const theirs = (entries: ReadonlyMap<string, string>) =>
  new Map([...entries].map(([header, text]) => [header, withoutOurs(header, text)]))

const isOurs = (header: string): boolean => /Schema: wearon;|Name: (FUNCTION |SCHEMA )?wearon\b|wearon_/.test(header)

describe.runIf(hasPostgres)("the platform's own schema in pg_dump's eyes", () => {
  let server: PostgresServer
  let url: string
  let sql: Sql
  beforeAll(async () => {
    server = await startPostgres()
    url = await server.database()
    sql = openServer({ url, connections: 1 })
    await sql.script(await read('support/postgrest-roles.sql'))
    await sql.script(await read('fixtures/platform.sql'))
  })
  afterAll(async () => {
    await sql.close()
    await server.stop()
  })

  it('is the same before and after, but for what we add', async () => {
    const before = entriesOf(dumpSchema(url))
    await migrate(sql)
    const after = entriesOf(dumpSchema(url))
    const types = new Set([...before.keys()].map((header) => /Type: ([^;]+)/.exec(header)?.[1]))
    for (const type of [
      'TABLE',
      'FUNCTION',
      'TRIGGER',
      'POLICY',
      'ROW SECURITY',
      'CONSTRAINT',
      'FK CONSTRAINT',
      'PUBLICATION TABLE',
    ])
      expect(types).toContain(type)
    const kept = theirs(after)
    for (const [header, text] of theirs(before)) expect([header, kept.get(header)]).toEqual([header, text])
    expect([...after.keys()].filter((header) => !before.has(header) && !isOurs(header))).toEqual([])
    expect(after.size).toBeGreaterThan(before.size)
  })

  it('is the same after the migrations are applied once more', async () => {
    const before = entriesOf(dumpSchema(url))
    await sql.query('delete from wearon.migrations')
    await migrate(sql)
    expect(entriesOf(dumpSchema(url))).toEqual(before)
  })
})
