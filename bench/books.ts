import { migrate } from '../src/adapters/postgres/migrate.ts'
import { openServer } from '../src/adapters/postgres/server.ts'
import { openPostgresStore } from '../src/adapters/postgres/store.ts'
import type { Queries } from '../src/projections/queries.ts'
import { startPostgres } from '../test/support/postgres-server.ts'
import { makeBookRows } from './support/book-rows.ts'
import { benchEnvironment } from './support/environment.ts'
import type { Benchmark } from './support/figures.ts'
import { median } from './support/figures.ts'

const SESSIONS = 1_000_000
const ROUNDS = 3
const DAY_MS = 86_400_000
/** Lines that a page of a CSV asks for. */
const PAGE = 1_000

type Question = (queries: Queries) => Promise<unknown>

const yesterday = () => {
  const today = Math.floor(Date.now() / DAY_MS) * DAY_MS
  return { from: new Date(today - DAY_MS).toISOString(), until: new Date(today).toISOString() }
}

const questions: Readonly<Record<string, Question>> = {
  summary: (queries) => queries.reconciliation(),
  exceptions: (queries) => queries.bookLines({ limit: PAGE }),
  page_of_lines: (queries) => queries.bookLines({ class: 'matched', limit: PAGE }),
  page_of_totals: (queries) => queries.bookTotals({ limit: PAGE }),
  summary_of_a_day: (queries) => queries.reconciliation(yesterday()),
  totals_of_a_day: (queries) => queries.bookTotals({ ...yesterday(), limit: PAGE }),
}

/** What the books of 1,000,000 sessions answer, in seconds: all of them, a page of them, and a day's, on a PostgreSQL as it is by default. */
export const books: Benchmark = async () => {
  const server = await startPostgres(['fsync=off'])
  const sql = openServer({ url: await server.database() })
  try {
    await migrate(sql)
    await makeBookRows(sql, SESSIONS)
    const { queries } = openPostgresStore(sql, { rowsOwner: 'platform', clock: benchEnvironment.clock })
    const figures: Record<string, number> = {}
    for (const [name, ask] of Object.entries(questions)) {
      const seconds = await secondsOf(() => ask(queries))
      console.log(`${name.replaceAll('_', ' ').padEnd(18)} ${seconds.toFixed(2).padStart(6)} s`)
      figures[`${name}_s`] = seconds
    }
    return figures
  } finally {
    await sql.close()
    await server.stop()
  }
}

/** The median of some rounds. */
const secondsOf = async (ask: () => Promise<unknown>): Promise<number> => {
  const rounds: number[] = []
  for (let round = 0; round < ROUNDS; round++) {
    const startedAt = performance.now()
    await ask()
    rounds.push((performance.now() - startedAt) / 1_000)
  }
  return median(rounds)
}
