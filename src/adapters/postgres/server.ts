import pg from 'pg'
import { listenOn } from './listen.ts'
import type { Queryable, Sql } from './sql.ts'
import { parsers } from './values.ts'

/** Our own calls take milliseconds: what runs longer hangs, and holds locks that others wait for. */
const STATEMENT_TIMEOUT_MS = 30_000
/** Beyond the server's own timeout, so that it speaks first; this one ends the wait on a half-open socket. */
const ANSWER_TIMEOUT_MS = STATEMENT_TIMEOUT_MS + 5_000
/** A migration may build an index over years of facts. */
const SCRIPT_TIMEOUT_MS = 600_000
const CONNECT_TIMEOUT_MS = 10_000
const KEEP_ALIVE_MS = 10_000
/** Our writes are grouped, so few connections carry them; hosted databases allow few. */
const CONNECTIONS = 8

export interface ServerOptions {
  /** `postgres://user:password@host:port/database?sslmode=…` */
  readonly url: string
  readonly connections?: number
  /** Shown in pg_stat_activity. */
  readonly name?: string
  /** Hears of failures that nobody else does: those of the connection that listens. They are tried again. */
  readonly onFault?: (error: unknown) => void
}

/** A PostgreSQL server, through a pool of connections and one more that listens. */
export const openServer = (options: ServerOptions): Sql => {
  const { url, connections = CONNECTIONS, name = 'wearon', onFault = () => undefined } = options
  const config: pg.PoolConfig = {
    connectionString: url,
    application_name: name,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    statement_timeout: STATEMENT_TIMEOUT_MS,
    query_timeout: ANSWER_TIMEOUT_MS,
    keepAlive: true,
    keepAliveInitialDelayMillis: KEEP_ALIVE_MS,
    types: { getTypeParser },
  }
  const pool = new pg.Pool({ ...config, max: connections })
  // An idle connection that breaks is replaced by the pool; without a listener its error would end the process.
  pool.on('error', () => undefined)
  // A server that ends in the moment in which it let us in says so before whoever borrows the connection listens.
  pool.on('connect', (client) => client.on('error', () => undefined))
  const listener = listenOn(config, onFault)
  const withClient = <Result>(work: (client: pg.PoolClient) => Promise<Result>) => borrow(pool, work)
  return {
    query: (text, values) => withClient((client) => queryOn(client)(text, values)),
    script: (text) => withClient((client) => scriptOn(client)(text)),
    transaction: (work) => withClient((client) => transactionOn(client, work)),
    listen: (channel, onNotify, onBreak) => listener.listen(channel, onNotify, onBreak),
    close: async () => {
      await listener.close()
      await pool.end()
    },
  }
}

const getTypeParser: typeof pg.types.getTypeParser = (oid: number, format?: 'text' | 'binary') =>
  parsers[oid] ?? (pg.types.getTypeParser(oid, format) as (text: string) => unknown)

/** Lends a connection. One that broke is thrown away; one that only refused a statement goes back to the pool. */
const borrow = async <Result>(pool: pg.Pool, work: (client: pg.PoolClient) => Promise<Result>): Promise<Result> => {
  const client = await pool.connect()
  let broken: Error | undefined
  const onError = (error: Error) => {
    broken = error
  }
  client.on('error', onError)
  try {
    return await work(client)
  } catch (error) {
    if (!isRefusal(error)) broken = error as Error
    throw error
  } finally {
    client.off('error', onError)
    client.release(broken)
  }
}

/** A shutdown or a killed backend (class 57P) is told like a refusal, and the connection is gone with it. */
const isRefusal = (error: unknown): boolean => error instanceof pg.DatabaseError && !error.code?.startsWith('57P')

const queryOn =
  (client: pg.PoolClient): Queryable['query'] =>
  async <Row>(text: string, values: readonly unknown[] = []) =>
    (await client.query(text, [...values])).rows as Row[]

const scriptOn = (client: pg.PoolClient) => async (text: string) => {
  // The driver's types leave out its option for the wait of a single query.
  const patient: pg.QueryConfig & { query_timeout: number } = { text, query_timeout: SCRIPT_TIMEOUT_MS }
  await client.query(`set statement_timeout = ${SCRIPT_TIMEOUT_MS}`)
  try {
    await client.query(patient)
  } finally {
    // Inside a failed transaction the server refuses this too; rolling back then restores the old value.
    await client.query(`set statement_timeout = ${STATEMENT_TIMEOUT_MS}`).catch(() => undefined)
  }
}

const transactionOn = async <Result>(
  client: pg.PoolClient,
  work: (sql: Queryable & { script(text: string): Promise<void> }) => Promise<Result>,
): Promise<Result> => {
  await client.query('begin')
  try {
    const result = await work({ query: queryOn(client), script: scriptOn(client) })
    await client.query('commit')
    return result
  } catch (error) {
    // Fails only on a broken connection, which the server rolls back by itself. A refusal of ours (no database error) would
    // cost a healthy connection otherwise, which is cheap and rare.
    await client.query('rollback').catch(() => undefined)
    throw error
  }
}
