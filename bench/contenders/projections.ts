import type { Sql } from '../../src/adapters/postgres/sql.ts'
import { BATCH_FACTS, project } from '../../src/projections/project.ts'
import type { Projection } from '../../src/projections/projection.ts'
import { sessions } from '../../src/projections/sessions.ts'
import type { ArchivedFact, RowPatch, Store } from '../../src/projections/store.ts'
import { Chain, LOG } from '../../test/support/store-world.ts'
import { benchEnvironment } from '../support/environment.ts'
import { within } from '../support/within.ts'

/** One way to bring facts into rows. `write` answers how many row writes it made. */
export interface Writer {
  readonly name: string
  /** Takes this share of the facts; slow ones take few. */
  readonly share?: number
  prepare?(facts: readonly ArchivedFact[]): Promise<void>
  write(facts: readonly ArchivedFact[]): Promise<number>
}

/** A projection's patches through the store, in batches of so many facts. */
export const applied = (name: string, projection: Projection, { tables }: Store, batch = BATCH_FACTS): Writer => ({
  name,
  write: (facts) =>
    inBatches(facts, batch, async (some, from) => {
      const patches = projection.patches(some)
      const outcome = await tables.apply(projection.name, from, from + some.length, patches)
      if (outcome === 'moved') throw new Error('somebody else writes these rows')
      return patches.length
    }),
})

/** The loop of the program, from the archive to the rows. */
export const followed = (projection: Projection, store: Store): Writer => ({
  name: 'from the archive',
  prepare: async (facts) => {
    const chain = new Chain()
    await inBatches(facts, BATCH_FACTS, async (some) => {
      await store.archive.append(LOG, [chain.step(...some.map(({ fact }) => fact))])
      return some.length
    })
  },
  write: async (facts) => {
    const stop = new AbortController()
    const reached = Promise.withResolvers<void>()
    let rows = 0
    const apply: Store['tables']['apply'] = async (name, from, to, patches) => {
      const outcome = await store.tables.apply(name, from, to, patches)
      rows += patches.length
      if (to === facts.length) reached.resolve()
      return outcome
    }
    const options = { environment: benchEnvironment, signal: stop.signal }
    const running = project(projection, { archive: store.archive, tables: { ...store.tables, apply } }, options)
    await within(reached.promise, 'last row')
    stop.abort()
    await running
    return rows
  },
})

/** The raw limit: the same columns into a plain table of nothing else, by one function that asks nothing. */
export const plainUpsert = async (sql: Sql): Promise<Writer> => {
  await sql.script(PLAIN)
  return {
    name: 'plain upsert',
    prepare: () => sql.script('truncate bench_rows'),
    write: (facts) =>
      inBatches(facts, BATCH_FACTS, async (some) => {
        const patches = sessions.patches(some)
        await sql.query('select bench_upsert($1)', [JSON.stringify(patches.map(flat))])
        return patches.length
      }),
  }
}

const flat = ({ sessionId, seq, set }: RowPatch) => ({ session_id: sessionId, seq, ...set })

const COLUMNS =
  `seq status state attempts error_message generated_image_url processing_time_ms input_tokens output_tokens
  estimated_cost_usd completed_at failure_code result_path url_expires_at`.split(/\s+/)

const PLAIN = `
  create table bench_rows as
    select session_id, ${COLUMNS.join(', ')} from jsonb_populate_recordset(null::wearon.session_patch, '[]');
  alter table bench_rows add primary key (session_id);
  create function bench_upsert(p_rows jsonb) returns void language sql as $$
    insert into bench_rows as row select * from jsonb_populate_recordset(null::bench_rows, p_rows)
    on conflict (session_id) do update set
      ${COLUMNS.map((column) => `${column} = coalesce(excluded.${column}, row.${column})`).join(', ')}
  $$;`

const inBatches = async (
  facts: readonly ArchivedFact[],
  batch: number,
  write: (facts: readonly ArchivedFact[], from: number) => Promise<number>,
): Promise<number> => {
  let rows = 0
  for (let from = 0; from < facts.length; from += batch) rows += await write(facts.slice(from, from + batch), from)
  return rows
}
