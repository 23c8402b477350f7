import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { migrate } from '../../src/adapters/postgres/migrate.ts'
import { openServer } from '../../src/adapters/postgres/server.ts'
import type { Sql } from '../../src/adapters/postgres/sql.ts'
import { openPostgresStore } from '../../src/adapters/postgres/store.ts'
import type { Queries } from '../../src/projections/queries.ts'
import type { Store } from '../../src/projections/store.ts'
import { realClock } from '../support/clock.ts'
import { hasPostgres, type PostgresServer, startPostgres } from '../support/postgres-server.ts'
import { json, openWorld, type World } from './http-world.ts'

const SESSIONS = 100_000
/** Of the list as the console asks for it. */
const P95_MS = 150
const ROUNDS = 12
const SMALL = randomUUID()

/**
 * As many sessions as a busy fortnight leaves, written straight into the tables: 92 in 100 completed, 6 refunded, 2 failed, a few that are
 * open, half of them of 500 stores, one of which has only three.
 */
const FILL = `
  insert into public.users (id, email) select md5('user' || n)::uuid, n || '@example.com' from generate_series(1, 500) as n;
  insert into public.stores (id, shop_domain) select md5('store' || n)::uuid, n || '.example.com' from generate_series(1, 500) as n;
  insert into public.stores (id, shop_domain) values ('${SMALL}', 'small.example.com');
  create temporary table made as select n, md5('session' || n)::uuid as id, now() - n * interval '9 seconds' as at,
    case when n <= 20 then 'processing' when n % 100 < 92 then 'completed' when n % 100 < 98 then 'refunded' else 'failed' end as state
  from generate_series(1, ${SESSIONS}) as n;
  insert into public.generation_sessions (id, user_id, status, state, attempts, model_image_url, prompt_system, created_at)
    select id, md5('user' || 1 + n % 500)::uuid, case state when 'refunded' then 'failed' else state end, state, 1, 'x', '', at
    from made where n % 2 = 0;
  insert into public.store_generation_sessions (id, store_id, status, state, attempts, model_image_url, prompt_system, created_at)
    select id, case when n % 40000 = 1 then '${SMALL}'::uuid else md5('store' || 1 + n % 500)::uuid end,
      case state when 'refunded' then 'failed' else state end, state, 1, 'x', '', at
    from made where n % 2 = 1;
  insert into wearon.refunds (session_id, seq, requested_at, outcome, state, since)
    select id, 3, at, case state when 'processing' then 'open' when 'completed' then 'completed' else 'failed' end,
      case state when 'refunded' then 'issued' when 'failed' then 'owed' end, at from made;
  insert into wearon.facts (ordinal, session_id, seq, partition, step, fact)
    select n, id, 1, 0, n, jsonb_build_object('requestId', 'req_' || n) from made;
  analyze;`

const LISTS = [
  {},
  ...(['processing', 'completed', 'failed', 'refunded', 'queued'] as const).map((state) => ({ state })),
  { channel: 'b2b' },
  { channel: 'b2c', state: 'failed' },
  { tenant: `store:${SMALL}` },
  { tenant: `store:${SMALL}`, state: 'processing' },
] as const satisfies Partial<Parameters<Queries['sessions']>[0]>[]

describe.runIf(hasPostgres)(`${SESSIONS} sessions`, () => {
  let server: PostgresServer
  let sql: Sql
  let store: Store
  let world: World

  beforeAll(async () => {
    server = await startPostgres()
    const url = await server.database()
    sql = openServer({ url })
    await migrate(sql)
    await sql.script(FILL)
    store = openPostgresStore(openServer({ url }), { rowsOwner: 'ours', clock: realClock })
    world = await openWorld({ queries: store.queries })
  }, 120_000)
  afterAll(async () => {
    await world.close(0)
    await store.close()
    await sql.close()
    await server.stop()
  })

  test(`are listed by whatever one asks for, and page by page, with a p95 below ${P95_MS} ms`, async () => {
    const took: number[] = []
    const list = async (query: Record<string, string>) => {
      const startedAt = performance.now()
      const answer = await json(await world.get(`/v1/generations?${new URLSearchParams(query).toString()}`))
      took.push(performance.now() - startedAt)
      return answer as { items: { state: string; created_at: string }[]; next: string | null }
    }
    for (let round = 0; round < ROUNDS; round++) {
      for (const query of LISTS) {
        const page = await list(query)
        const second = page.next === null ? null : await list({ ...query, cursor: page.next })
        const times = [...page.items, ...(second?.items ?? [])].map(({ created_at: at }) => at)
        expect(times).toEqual(times.toSorted().toReversed())
        expect(new Set(times).size).toBe(times.length)
      }
    }
    const p95 = took.toSorted((one, other) => one - other)[Math.floor(took.length * 0.95)] ?? Number.NaN
    console.log(`The list among ${SESSIONS} sessions: p95 ${p95.toFixed(1)} ms of ${took.length} requests.`)
    expect(p95).toBeLessThan(P95_MS)
  })

  test('are found in full: those of one store, those that are open, and all of them in the count', async () => {
    const { items } = await store.queries.sessions({ tenant: `store:${SMALL}`, limit: 9 })
    expect(items).toHaveLength(3)
    expect((await store.queries.sessions({ state: 'processing', limit: 50 })).items).toHaveLength(20)
    const startedAt = performance.now()
    const census = await store.queries.census()
    console.log(`Counting them takes ${(performance.now() - startedAt).toFixed(1)} ms.`)
    expect(census.reduce((sum, { count }) => sum + count, 0)).toBe(SESSIONS)
    expect(census.find(({ state }) => state === 'processing')).toEqual({ state: 'processing', count: 20 })
  })
})
