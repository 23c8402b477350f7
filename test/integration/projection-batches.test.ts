import fc from 'fast-check'
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import { migrate } from '../../src/adapters/postgres/migrate.ts'
import { openServer } from '../../src/adapters/postgres/server.ts'
import type { Sql } from '../../src/adapters/postgres/sql.ts'
import { openPostgresStore } from '../../src/adapters/postgres/store.ts'
import type { Fact, NewFact } from '../../src/events/fact.ts'
import { project } from '../../src/projections/project.ts'
import { rebuild } from '../../src/projections/rebuild.ts'
import { refunds } from '../../src/projections/refunds.ts'
import { sessions } from '../../src/projections/sessions.ts'
import type { Rebuilds, Store } from '../../src/projections/store.ts'
import { realClock } from '../support/clock.ts'
import { eventually } from '../support/eventually.ts'
import * as f from '../support/facts.ts'
import { freshDatabase } from '../support/fresh-database.ts'
import { hasPostgres, type PostgresServer, startPostgres } from '../support/postgres-server.ts'
import { recordedEnvironment } from '../support/project-memory.ts'
import { Chain, factsOf, LOG, newSession, newStore, newUser } from '../support/store-world.ts'

const BOTH = [sessions, refunds]
const lost: readonly NewFact[] = [f.failed('internal'), f.refundRequested()]

/** Every way in which a session ends, and some that have not yet. */
const endings: readonly (readonly NewFact[])[] = [
  [],
  [f.started()],
  [f.started(), f.completed()],
  [f.started(), f.deferred('rate_limited', 1, f.START_MS), f.started(2), f.completed(2)],
  [f.started(), ...lost, f.issued()],
  [f.started(), ...lost, f.retrying(1, f.START_MS), f.escalated(2, f.START_MS), f.issued()],
  [f.started(), ...lost, f.waived('overage')],
  [f.started(), f.withdrawn(), f.refundRequested(), f.settled()],
  [f.cancelled(), f.refundRequested(), f.retrying(1, f.START_MS)],
]

/** Sessions of users and stores in turn, one of each kind. */
const histories = (): Fact[][] =>
  endings.map((ending, index) => {
    const owner = index % 2 === 0 ? newUser() : newStore()
    return factsOf(newSession(), [f.requested({ owner }), ...ending])
  })

/** The facts of all histories in an order that these choices make, each session's in its own order. */
const interleaved = (all: readonly (readonly Fact[])[], choices: readonly number[]): Fact[] => {
  const left = all.map((facts) => [...facts])
  const order: Fact[] = []
  for (let turn = 0; left.some((facts) => facts.length > 0); turn++) {
    const open = left.filter((facts) => facts.length > 0)
    const next = open[(choices[turn % choices.length] ?? 0) % open.length]?.shift()
    if (next !== undefined) order.push(next)
  }
  return order
}

describe.runIf(hasPostgres)('projections on a server', () => {
  let server: PostgresServer
  let sql: Sql
  let store: Store
  let chain: Chain

  beforeAll(async () => {
    server = await startPostgres()
    sql = openServer({ url: await server.database() })
    await migrate(sql)
    store = openPostgresStore(sql, { rowsOwner: 'ours', clock: realClock })
  })
  afterAll(async () => {
    await store.close()
    await sql.close()
    await server.stop()
  })
  beforeEach(() => fresh())

  const fresh = async () => {
    await freshDatabase(sql)
    chain = new Chain()
  }

  const archive = (facts: readonly Fact[]) => store.archive.append(LOG, [chain.step(...facts)])

  /** Applies the facts from the first on, to the end or about so many, in batches of these sizes, in turn. */
  const applyAll = async (sizes: readonly number[], upTo = Number.POSITIVE_INFINITY) => {
    await sql.query('update wearon.projections set position = 0')
    for (const projection of BOTH) {
      for (let from = 0, turn = 0; from < upTo; turn++) {
        const facts = await store.archive.read(from, sizes[turn % sizes.length] ?? 1)
        const to = facts.at(-1)?.ordinal
        if (to === undefined) break
        expect(await store.tables.apply(projection.name, from, to, projection.patches(facts))).toBe('applied')
        from = to
      }
    }
  }

  const rows = async (): Promise<unknown> => {
    const table = (name: string) => `select to_jsonb(t) as row from ${name} as t`
    const tables = ['public.generation_sessions', 'public.store_generation_sessions', 'wearon.refunds'].map(table)
    return (await sql.query<{ row: unknown }>(`${tables.join(' union all ')} order by 1`)).map(({ row }) => row)
  }

  it('give the same rows from facts in any order of sessions, in batches of any size, applied twice', async () => {
    const sizes = fc.array(fc.integer({ min: 1, max: 12 }), { minLength: 1, maxLength: 6 })
    const choices = fc.array(fc.nat(100), { minLength: 1, maxLength: 40 })
    await fc.assert(
      fc.asyncProperty(choices, sizes, sizes, fc.nat(40), async (order, first, second, again) => {
        await fresh()
        const all = histories()
        await archive(interleaved(all, order))
        await applyAll(first)
        const once = await rows()
        await applyAll(second, again)
        expect(await rows()).toEqual(once)
        await fresh()
        await archive(all.flat())
        await applyAll([500])
        expect(once).toEqual(await rows())
      }),
      { numRuns: 15 },
    )
  }, 60_000)

  it('are rebuilt part by part to the rows that the facts say, while sessions go on', async () => {
    const all = Array.from({ length: 3 }, histories).flat()
    const begun = all.map((facts) => facts.slice(0, 2))
    const rest = all.map((facts) => facts.slice(2))
    await archive(begun.flat())
    const stop = new AbortController()
    const environment = { ...recordedEnvironment().environment, clock: realClock }
    const running = BOTH.map((one) => project(one, store, { environment, signal: stop.signal, pollMs: 20 }))
    onTestFinished(async () => {
      stop.abort()
      await Promise.all(running)
    })
    const followed = () =>
      eventually(async () => {
        const head = await store.archive.head()
        for (const { name } of BOTH) expect(await store.tables.position(name)).toBe(head)
      })
    await followed()
    await sql.query('update public.generation_sessions set attempts = 99 where true')
    await sql.query('update public.store_generation_sessions set attempts = 99 where true')
    await sql.query('update wearon.refunds set tries = 99 where true')
    let parts = 0
    const rebuilds: Rebuilds = {
      ...store.rebuilds,
      switchOver: async (name) => {
        for (;;) {
          const [answer] = await sql.query<{
            result: Awaited<ReturnType<Rebuilds['switchOver']>> | { outcome: 'part' }
          }>('select public.wearon_rebuild_switch($1, $2, 4) as result', [name, 'ours'])
          if (answer?.result.outcome !== 'part') return answer?.result ?? { outcome: 'behind', position: 0 }
          parts += 1
          await archive(rest.pop() ?? factsOf(newSession(), [f.requested({ owner: newUser() })]))
          await followed()
        }
      },
    }
    for (const one of BOTH) {
      const report = await rebuild(one, { ...store, rebuilds })
      // Facts that come meanwhile put some of the damage right before the rebuild sees it.
      expect(report.drifted).toBeGreaterThan(5)
    }
    expect(parts).toBeGreaterThan(10)
    await archive(rest.flat())
    await followed()
    stop.abort()
    await Promise.all(running)
    const rebuilt = await rows()
    const facts = (await store.archive.read(0, 10_000)).map(({ fact }) => fact)
    await fresh()
    await archive(facts)
    await applyAll([500])
    expect(rebuilt).toEqual(await rows())
  })
})
