import type { Sql } from '../../src/adapters/postgres/sql.ts'

/** How often calls were cut off so far. */
export interface Crashes {
  beforeCommit: number
  afterCommit: number
}

/** What the caller of a function sees of a crash. */
class Crashed extends Error {
  override readonly name = 'Crashed'
}

/**
 * A server on which one call of a function in so many crashes: by turns the connection dies between the function's work and its
 * commit, so that all of it is lost, or behind the commit, so that only the answer is.
 */
export const crashing = (sql: Sql, random: () => number, share: number): { sql: Sql; crashes: Crashes } => {
  const crashes: Crashes = { beforeCommit: 0, afterCommit: 0 }
  const query: Sql['query'] = async (text, values) => {
    const isCutOff = text.startsWith('select public.') && random() < share
    if (isCutOff && crashes.beforeCommit <= crashes.afterCommit) {
      crashes.beforeCommit++
      const ending = sql.query(`${text}, pg_terminate_backend(pg_backend_pid())`, values)
      const isCommitted = await ending.then(
        () => true,
        () => false,
      )
      throw isCommitted ? new Error('the connection outlived its end') : new Crashed('before the commit')
    }
    const rows = await sql.query<never>(text, values)
    if (!isCutOff) return rows
    crashes.afterCommit++
    throw new Crashed('behind the commit')
  }
  return { sql: { ...sql, query }, crashes }
}

/** Does it again after each crash, as the next owner does. */
export const surely = async <Result>(work: () => Promise<Result>): Promise<Result> => {
  for (;;) {
    try {
      return await work()
    } catch (error) {
      if (!(error instanceof Crashed)) throw error
    }
  }
}
