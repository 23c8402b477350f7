import { migrate } from '../src/adapters/postgres/migrate.ts'
import { openServer } from '../src/adapters/postgres/server.ts'
import type { Sql } from '../src/adapters/postgres/sql.ts'
import { openPostgresStore } from '../src/adapters/postgres/store.ts'
import { refunds } from '../src/projections/refunds.ts'
import { sessions } from '../src/projections/sessions.ts'
import { type Store, shadowName } from '../src/projections/store.ts'
import { freshDatabase } from '../test/support/fresh-database.ts'
import { startPostgres } from '../test/support/postgres-server.ts'
import { applied, followed, plainUpsert, type Writer } from './contenders/projections.ts'
import { DURABLE } from './contenders/sql-log.ts'
import { benchEnvironment } from './support/environment.ts'
import type { Benchmark } from './support/figures.ts'
import { archived, newHistories } from './support/histories.ts'
import { makeProducerRows } from './support/producer-rows.ts'
import { measureRounds } from './support/rounds.ts'

const SESSIONS = 10_000
const ROUNDS = 5
const REBUILT = 100_000
/** How many sessions are computed aside in one call. */
const CHUNK = 500

/**
 * Rows that projections write in Postgres (fsync on), each fact of a batch of another session, so that nothing is folded:
 * batches of 500 beside a plain upsert of the same columns, and one by one. Then the switch to rebuilt rows.
 */
export const projection: Benchmark = async () => {
  const server = await startPostgres(DURABLE)
  const sql = openServer({ url: await server.database() })
  try {
    await migrate(sql)
    const store = openPostgresStore(sql, { rowsOwner: 'platform', clock: benchEnvironment.clock })
    const row = applied('sessions', sessions, store)
    const book = applied('refunds', refunds, store)
    const loop = followed(sessions, store)
    const plain = await plainUpsert(sql)
    const single = { ...applied('one by one', sessions, store, 1), share: 0.02 }
    const contenders = [row, book, loop, plain, single]
    const rates = await measureRounds(contenders, { rounds: ROUNDS, unit: 'rows/s' }, (one, warmUp) =>
      rate(sql, one, warmUp ? SESSIONS / 4 : SESSIONS),
    )
    console.log(`sessions: ${rates.ratio(row, plain).toFixed(2)} times the plain upsert`)
    const longestMs = await longestPart(sql, store)
    await store.close()
    return {
      sessions_per_s: rates.median(row),
      refunds_per_s: rates.median(book),
      archive_to_rows_per_s: rates.median(loop),
      plain_per_s: rates.median(plain),
      one_by_one_per_s: rates.median(single),
      sessions_to_plain: rates.ratio(row, plain),
      sessions_to_one_by_one: rates.ratio(row, single),
      switch_part_ms: longestMs,
    }
  } finally {
    await sql.close()
    await server.stop()
  }
}

/** Row writes a second. */
const rate = async (sql: Sql, writer: Writer, count: number): Promise<number> => {
  await freshDatabase(sql)
  const histories = newHistories(count * (writer.share ?? 1))
  await makeProducerRows(sql, histories)
  const facts = archived(histories)
  await writer.prepare?.(facts)
  const startedAt = performance.now()
  const rows = await writer.write(facts)
  return (rows / (performance.now() - startedAt)) * 1_000
}

/** How long the longest part of a switch takes, ms, when every row of 100,000 sessions has to be corrected. */
const longestPart = async (sql: Sql, store: Store): Promise<number> => {
  await freshDatabase(sql)
  const histories = newHistories(REBUILT)
  await makeProducerRows(sql, histories)
  let position = 0
  for (let from = 0; from < histories.length; from += CHUNK) {
    const facts = archived(histories.slice(from, from + CHUNK))
    const to = position + facts.length
    await store.tables.apply(shadowName(sessions.name), position, to, sessions.patches(facts))
    position = to
  }
  await store.tables.apply(sessions.name, 0, position, [])
  const startedAt = performance.now()
  let longestMs = 0
  for (let outcome = 'part'; outcome === 'part'; ) {
    const partAt = performance.now()
    const [answer] = await sql.query<{ outcome: string }>(SWITCH)
    outcome = answer?.outcome ?? 'none'
    longestMs = Math.max(longestMs, performance.now() - partAt)
  }
  const seconds = (performance.now() - startedAt) / 1_000
  console.log(`${REBUILT} sessions switched in ${seconds.toFixed(1)} s, ${longestMs.toFixed(0)} ms at most at a time`)
  return longestMs
}

const SWITCH = `select public.wearon_rebuild_switch('sessions', 'platform') ->> 'outcome' as outcome`
