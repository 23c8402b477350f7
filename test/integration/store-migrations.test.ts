import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { migrate, migrationNames, pending } from '../../src/adapters/postgres/migrate.ts'
import { openServer } from '../../src/adapters/postgres/server.ts'
import type { Queryable, Sql } from '../../src/adapters/postgres/sql.ts'
import { newEmbedded } from '../support/data-folder.ts'
import { hasPostgres, type PostgresServer, startPostgres } from '../support/postgres-server.ts'

const read = (path: string) => readFile(join(import.meta.dirname, '..', path), 'utf8')
const platform = await read('fixtures/platform.sql')
/** A hosted project lets all of its roles call whatever is made in schema public, unless told otherwise. */
const hosted = await read('support/postgrest-roles.sql')

/** Everything that the platform's schema consists of, one line each; ours is told apart by its name. */
const objects = async (sql: Queryable): Promise<string[]> => {
  const rows = await sql.query<{ line: string }>(`
    select format('column %s.%s %s default %s null %s', table_name, column_name, udt_name, column_default, is_nullable) as line
      from information_schema.columns where table_schema in ('public', 'auth', 'storage')
    union all select format('constraint %s %s %s', conrelid::regclass, conname, pg_get_constraintdef(oid))
      from pg_constraint where connamespace = 'public'::regnamespace and contype <> 'n'
    union all select format('index %s', indexdef) from pg_indexes where schemaname = 'public'
    union all select format('policy %s %s %s %s %s', tablename, policyname, cmd, qual, with_check) from pg_policies
    union all select format('trigger %s', pg_get_triggerdef(oid)) from pg_trigger where not tgisinternal
    union all select format('function %s %s', pg_get_functiondef(oid), proacl) from pg_proc where pronamespace = 'public'::regnamespace
    union all select format('table %s %s %s', relname, relrowsecurity, relacl) from pg_class
      where relnamespace = 'public'::regnamespace and relkind = 'r'
    union all select format('published %s', tablename) from pg_publication_tables
    order by line`)
  return rows.map(({ line }) => line)
}

const OUR_COLUMNS = ['state', 'seq', 'attempts', 'failure_code', 'result_path', 'url_expires_at', 'origin']
const isOurs = (line: string): boolean =>
  /wearon_/.test(line) ||
  OUR_COLUMNS.some((column) => new RegExp(`^column (?:store_)?generation_sessions\\.${column} `).test(line)) ||
  /^constraint (?:store_)?generation_sessions \w+_state_check /.test(line)

const ID = `'0190b5f8-0000-7000-8000-000000000001'`

/** What is asked again and again of tables that grow for good. */
const QUESTIONS = [
  `select fact from wearon.facts where session_id = ${ID} order by seq`,
  `select fact from wearon.facts where partition = 1 and step = 7`,
  `select id from public.generation_sessions order by created_at desc, id desc limit 50`,
  `select id from public.store_generation_sessions order by created_at desc, id desc limit 50`,
  `select id from public.generation_sessions where user_id = ${ID} order by created_at desc, id desc limit 50`,
  `select id from public.store_generation_sessions where store_id = ${ID} order by created_at desc, id desc limit 50`,
  `select id from public.store_generation_sessions where store_id = ${ID} and request_id = 'req_1'`,
  `select id from public.credit_transactions where user_id = ${ID} and type = 'refund' order by created_at`,
  `select session_id from wearon.refunds where state is not null order by since desc, session_id desc limit 50`,
  `select session_id from wearon.refunds where owner_id = ${ID} and request_id = 'req_1'`,
  `select id from wearon.audit where target = 'req_1' order by at desc, id desc limit 50`,
]

/** The laws of our migrations on any PostgreSQL. `open` answers a new empty database. */
const migrationLaws = (where: string, open: () => Promise<Sql>): void => {
  describe(`migrations ${where}`, () => {
    let sql: Sql
    const inNew = async (work: () => Promise<void>) => {
      sql = await open()
      try {
        await work()
      } finally {
        await sql.close()
      }
    }

    it('brings an empty database all that it needs, and changes nothing when it is applied again', () =>
      inNew(async () => {
        expect((await migrate(sql)).length).toBeGreaterThan(3)
        const before = await objects(sql)
        expect(await migrate(sql)).toEqual([])
        expect(await pending(sql)).toEqual([])
        await sql.query('delete from wearon.migrations')
        await migrate(sql)
        expect(await objects(sql)).toEqual(before)
      }))

    it("adds to the platform's own schema and changes nothing of it", () =>
      inNew(async () => {
        await sql.script(platform)
        const before = await objects(sql)
        await migrate(sql)
        const after = await objects(sql)
        expect(after.filter((line) => !isOurs(line))).toEqual(before)
        expect(after.length).toBeGreaterThan(before.length)
      }))

    it('creates on an empty database what the platform has, but for what only a hosted one knows', () =>
      inNew(async () => {
        await migrate(sql)
        const functions = `select proname || pg_get_function_arguments(oid) || prosrc as line from pg_proc
          where pronamespace = 'public'::regnamespace and proname not like 'wearon%' order by 1`
        const made = await sql.query(functions)
        const fixture = await open()
        await fixture.script(platform)
        const wanted = await fixture.query<{ line: string }>(functions)
        await fixture.close()
        expect(made).toEqual(wanted.filter(({ line }) => !line.startsWith('handle_new_user')))
      }))

    it('brings the indexes by which is asked, so that no question reads a whole table', () =>
      inNew(async () => {
        await migrate(sql)
        await sql.transaction(async (on) => {
          // Now a table is read as a whole, or sorted, only where no index serves.
          for (const way of ['seqscan', 'bitmapscan', 'sort']) await on.query(`set local enable_${way} = off`)
          for (const question of QUESTIONS) {
            const plan = (await on.query<{ 'QUERY PLAN': string }>(`explain ${question}`)).map(Object.values).join('\n')
            const asked = { question, plan }
            expect(asked).toMatchObject({ plan: expect.stringContaining('Index') as string })
            expect(asked).toMatchObject({ plan: expect.not.stringMatching(/Seq Scan|Sort/) as string })
          }
        })
      }))

    it('lets nobody but the service role call or read what is ours', () =>
      inNew(async () => {
        await sql.script(platform)
        await sql.script(hosted)
        await migrate(sql)
        const functions = await sql.query<{ name: string; callable: boolean; callers: string[] }>(`
          select oid::regprocedure::text as name, pronamespace = 'public'::regnamespace as callable,
            array(select role from unnest(array['public', 'anon', 'authenticated', 'service_role']) as role
              where has_function_privilege(role, pg_proc.oid, 'execute')) as callers
          from pg_proc where pronamespace = 'wearon'::regnamespace
            or (pronamespace = 'public'::regnamespace and proname like 'wearon\\_%')`)
        expect(functions.length).toBeGreaterThan(60)
        for (const { name, callable, callers } of functions)
          expect([name, ...callers]).toEqual(callable ? [name, 'service_role'] : [name])
        const unguarded = await sql.query(
          `select tablename from pg_tables where schemaname = 'wearon' and not rowsecurity
           union all select role from unnest(array['public', 'anon', 'authenticated', 'service_role']) as role
             where has_schema_privilege(role, 'wearon', 'usage')`,
        )
        expect(unguarded).toEqual([])
        const unpinned = await sql.query(
          `select proname from pg_proc where pronamespace = 'public'::regnamespace and proname like 'wearon%'
             and (not prosecdef or not coalesce(proconfig, '{}') @> array['search_path=""'])`,
        )
        expect(unpinned).toEqual([])
      }))

    it('changes and deletes nothing without saying which rows: a hosted project refuses that to whoever comes by PostgREST', () =>
      inNew(async () => {
        await migrate(sql)
        await sql.script(`create function wearon.planted() returns void language sql as
          $$ select 1; update wearon.heads as h set log = 'x'; delete from wearon.heads where number = 1 $$`)
        const functions = await sql.query<{ name: string; text: string }>(
          `select proname as name, prosrc as text from pg_proc where pronamespace = 'wearon'::regnamespace or proname like 'wearon%'`,
        )
        const all = /\b(?:update\s+[\w.%"]+\s+(?:as\s+\w+\s+)?set|delete\s+from)\b(?![^;]*\bwhere\b)/i
        const found = functions.filter(({ text }) => all.test(text.replaceAll(/--.*/g, '')))
        expect(found.map(({ name }) => name)).toEqual(['planted'])
      }))

    it('knows what was applied, by our own command or by `supabase db push`', () =>
      inNew(async () => {
        const names = await migrate(sql)
        const applied = async () =>
          (await sql.query<{ names: string[] }>('select public.wearon_applied_migrations() as names'))[0]?.names
        expect(await migrationNames()).toEqual(names)
        expect((await applied())?.toSorted()).toEqual(names)
        await sql.script(`drop table wearon.migrations; create schema supabase_migrations;
          create table supabase_migrations.schema_migrations (version text primary key, statements text[], name text);
          insert into supabase_migrations.schema_migrations values ('20261122000100', '{}', 'wearon_platform'),
            ('20200101000000', '{}', null)`)
        expect((await applied())?.filter((name) => name !== null)).toEqual(['20261122000100_wearon_platform'])
      }))
  })
}

migrationLaws('on an embedded database', () => newEmbedded('empty'))

describe.runIf(hasPostgres)('on a server', () => {
  let server: PostgresServer
  beforeAll(async () => {
    server = await startPostgres()
  })
  afterAll(() => server.stop())

  migrationLaws('on a server', async () => {
    // Roles belong to the server, so each test leaves them as a hosted database has them.
    return openServer({ url: await server.database(), connections: 2 })
  })
})
