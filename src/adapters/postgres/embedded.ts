import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { PGlite, type Transaction } from '@electric-sql/pglite'
import { type FolderLock, lockFolder } from './lock.ts'
import type { Queryable, Sql } from './sql.ts'
import { parsers } from './values.ts'

const BYTEA = 17

/** PGlite runs no autovacuum: without this, what was deleted keeps its place for ever, and plans know nothing of the tables. */
const VACUUM = 'vacuum (analyze)'
const VACUUM_EVERY_MS = 600_000

/** PGlite's own way with bytes takes them one by one in JavaScript, ten times as long. */
const options = {
  parsers: { ...parsers, [BYTEA]: (text: string) => Buffer.from(text.slice('\\x'.length), 'hex') },
  serializers: { [BYTEA]: (bytes: Uint8Array) => `\\x${Buffer.from(bytes).toString('hex')}` },
}

/** An embedded database and, when it lies in a folder, the lock on that folder. */
export interface EmbeddedSql extends Sql {
  /** Null for a database in memory. */
  readonly lock: FolderLock | null
}

/**
 * PostgreSQL inside this process (PGlite), in `<dataDir>/database`, or in memory for null. It has one connection, so
 * everything waits in line. @throws FolderInUse when another process has the folder: two would lose each other's rows.
 */
export const openEmbedded = async (dataDir: string | null): Promise<EmbeddedSql> => {
  if (dataDir === null) return sqlOn(await PGlite.create(options), null)
  await mkdir(dataDir, { recursive: true })
  const lock = lockFolder(dataDir)
  try {
    const database = await PGlite.create(join(dataDir, 'database'), options)
    await database.exec(VACUUM)
    return sqlOn(database, lock)
  } catch (error) {
    lock.release()
    throw error
  }
}

const sqlOn = (database: PGlite, lock: FolderLock | null): EmbeddedSql => {
  const vacuum = async () => {
    // Tidying is tried again; what is really broken shows where the database is used.
    await database.exec(VACUUM).catch(() => undefined)
  }
  const tidying = setInterval(() => void vacuum(), VACUUM_EVERY_MS).unref()
  return { ...callsOn(database), lock, close: () => close(database, lock, tidying) }
}

const callsOn = (database: PGlite): Omit<Sql, 'close'> => ({
  query: queryOn(database),
  script: scriptOn(database),
  transaction: (work) => database.transaction((on) => work({ query: queryOn(on), script: scriptOn(on) })),
  listen: async (channel, onNotify) => {
    const unlisten = await database.listen(channel, onNotify)
    return () => unlisten()
  },
})

const close = async (database: PGlite, lock: FolderLock | null, tidying: NodeJS.Timeout): Promise<void> => {
  clearInterval(tidying)
  await database.close()
  // Last, so that nobody opens a folder that is still written to.
  lock?.release()
}

const queryOn =
  (on: PGlite | Transaction): Queryable['query'] =>
  async <Row>(text: string, values: readonly unknown[] = []) =>
    (await on.query(text, [...values])).rows as Row[]

const scriptOn = (on: PGlite | Transaction) => async (text: string) => {
  await on.exec(text)
}
