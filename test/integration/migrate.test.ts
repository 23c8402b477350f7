import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { MigrationEdited, migrate, pending } from '../../src/adapters/postgres/migrate.ts'
import { openServer } from '../../src/adapters/postgres/server.ts'
import type { Sql } from '../../src/adapters/postgres/sql.ts'
import { newEmbedded } from '../support/data-folder.ts'
import { hasPostgres, type PostgresServer, startPostgres } from '../support/postgres-server.ts'

const migratesOn = (open: () => Promise<Sql>) => {
  let folder: string
  let sql: Sql
  const file = (name: string, text: string) => writeFile(join(folder, name), text)

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'wearon-migrations-'))
    sql = await open()
  })
  afterEach(async () => {
    await sql.close()
    await rm(folder, { recursive: true })
  })

  it('applies files once, in order of name', async () => {
    await file('002_fill.sql', 'insert into wearon.things values (1);')
    await file('001_things.sql', 'create table wearon.things (n int); create index on wearon.things (n);')
    expect(await pending(sql, folder)).toEqual(['001_things', '002_fill'])
    expect(await migrate(sql, folder)).toEqual(['001_things', '002_fill'])
    expect(await migrate(sql, folder)).toEqual([])
    expect(await pending(sql, folder)).toEqual([])
    expect(await sql.query('select n from wearon.things')).toEqual([{ n: 1 }])
  })

  it('keeps nothing of a file that fails, and what came before it', async () => {
    await file('001_good.sql', 'create table wearon.good (n int);')
    await file('002_bad.sql', 'create table wearon.bad (n int); select 1 / 0;')
    await expect(migrate(sql, folder)).rejects.toThrow('division by zero')
    expect(await pending(sql, folder)).toEqual(['002_bad'])
    expect(await sql.query(`select to_regclass('wearon.bad') as bad`)).toEqual([{ bad: null }])
  })

  it('refuses when an applied file was edited, and names it', async () => {
    await file('001_things.sql', 'create table wearon.things (n int);')
    await migrate(sql, folder)
    await file('001_things.sql', 'create table wearon.things (n bigint);')
    await file('002_more.sql', 'create table wearon.more (n int);')
    await expect(migrate(sql, folder)).rejects.toThrow(MigrationEdited)
    await expect(pending(sql, folder)).rejects.toThrow('001_things')
    expect(await sql.query(`select to_regclass('wearon.more') as more`)).toEqual([{ more: null }])
  })

  it('lets runners that start together apply each file once', async () => {
    await file('001_things.sql', 'create table wearon.things (n int);')
    const applied = await Promise.all([1, 2, 3, 4].map(() => migrate(sql, folder)))
    expect(applied.flat()).toEqual(['001_things'])
  })

  it('applies the migrations of this project', async () => {
    await migrate(sql)
    expect(await pending(sql)).toEqual([])
  })
}

describe('migrations on PGlite', () => {
  migratesOn(() => newEmbedded('empty'))
})

describe.runIf(hasPostgres)('migrations on a PostgreSQL server', () => {
  let server: PostgresServer
  beforeAll(async () => {
    server = await startPostgres()
  })
  afterAll(() => server.stop())

  migratesOn(async () => openServer({ url: await server.database() }))
})
