import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { migrate } from '../../src/adapters/postgres/migrate.ts'
import { openServer } from '../../src/adapters/postgres/server.ts'
import type { Sql } from '../../src/adapters/postgres/sql.ts'
import { openPostgresStore } from '../../src/adapters/postgres/store.ts'
import type { Fact, NewFact } from '../../src/events/fact.ts'
import type { Settlement } from '../../src/events/refund.ts'
import { resultPath } from '../../src/machines/effects/paths.ts'
import type { RefundOutcome } from '../../src/machines/ports/platform.ts'
import type { BookClass } from '../../src/projections/books.ts'
import type { Page } from '../../src/projections/page.ts'
import type { BookLine } from '../../src/projections/reconciliation.ts'
import { refunds } from '../../src/projections/refunds.ts'
import { ownerId, sessions } from '../../src/projections/sessions.ts'
import type { Store } from '../../src/projections/store.ts'
import { realClock } from '../support/clock.ts'
import { type Crashes, crashing, surely } from '../support/crashing-sql.ts'
import { completed, factAt, failed, refundRequested, requested, started } from '../support/facts.ts'
import { type Ordered, orderMany } from '../support/many-orders.ts'
import { hasPostgres, type PostgresServer, startPostgres } from '../support/postgres-server.ts'
import { Chain, LOG } from '../support/store-world.ts'
import { sqlTamper } from '../support/tamper.ts'

const SESSIONS = 10_000
const SEED = 20_261_122
/** Of all calls of the database's functions. */
const CRASHES = 0.05
/** Refunds that run at once. */
const CONCURRENCY = 8
/** Sessions or accounts that each damage is done to. */
const EACH = 3
const fence = { partition: 0, epoch: 1 }
const HOUR_MS = 3_600_000
const MINUTE_MS = 60_000
/** Kinds of lines whose place is a session. */
const IN_SESSIONS: ReadonlySet<BookLine['kind']> = new Set(['session', 'object'])

/** Numbers in [0, 1) that are the same in each run (mulberry32). */
const randomFrom = (seed: number) => {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

describe.runIf(hasPostgres)(`${SESSIONS} sessions, a third of which fail`, () => {
  const random = randomFrom(SEED)
  const chain = new Chain()
  let server: PostgresServer
  let sql: Sql
  /** Processes that crash now and then, and one that only reads. */
  let stores: Store[]
  let crashes: Crashes[]
  let reader: Store
  let orders: Ordered[]
  let lost: Ordered[]
  const decided = new Map<string, RefundOutcome>()

  const store = () => stores[Math.floor(random() * stores.length)] as Store

  beforeAll(async () => {
    server = await startPostgres()
    const url = await server.database()
    sql = openServer({ url })
    await sql.script(await readFile(join(import.meta.dirname, '../fixtures/platform.sql'), 'utf8'))
    await migrate(sql)
    const clock = realClock
    const open = (on: Sql) => openPostgresStore(on, { rowsOwner: 'platform', clock })
    const processes = [0, 1].map(() => crashing(openServer({ url, connections: CONCURRENCY }), random, CRASHES))
    stores = processes.map((one) => open(one.sql))
    crashes = processes.map((one) => one.crashes)
    reader = open(openServer({ url }))
    await reader.history.admit({ log: LOG, partition: 0, epoch: { number: 1, token: 'token' }, head: 0 })
    orders = await orderMany(sql, SESSIONS)
    lost = orders.filter((_, index) => index % 3 === 0)
  }, 60_000)
  afterAll(async () => {
    await Promise.all([...stores, reader].map((one) => one.close()))
    await server.stop()
  })

  /** Facts of many sessions, in steps of some hundreds; a step whose answer was lost is sent again. */
  const archive = async (facts: readonly Fact[]) => {
    const before = await reader.archive.head()
    for (let from = 0; from < facts.length; from += 400) {
      const step = chain.step(...facts.slice(from, from + 400))
      await surely(() => store().archive.append(LOG, [step]))
      if (random() < 0.2) expect(await surely(() => store().archive.append(LOG, [step]))).toBe('moved')
    }
    expect(await reader.archive.head()).toBe(before + facts.length)
  }
  /** Batches of any size, some of them applied twice, and some by a process that is behind. */
  const project = async () => {
    for (const projection of [sessions, refunds]) {
      for (;;) {
        const from = await reader.tables.position(projection.name)
        const facts = await reader.archive.read(from, 1 + Math.floor(random() * 1_500))
        const to = facts.at(-1)?.ordinal
        if (to === undefined) break
        const apply = () => surely(() => store().tables.apply(projection.name, from, to, projection.patches(facts)))
        await apply()
        if (random() < 0.3) expect(await apply()).toBe('moved')
        expect(await reader.tables.position(projection.name)).toBe(to)
      }
    }
  }
  const factsOf = ({ sessionId, requestId }: Ordered, facts: readonly NewFact[], first = 1, agoMs = 600_000): Fact[] =>
    facts.map((fact, index) => ({
      ...factAt(first + index, fact, Date.now() - agoMs + index, sessionId),
      requestId,
    }))
  const settlement: Settlement = { by: { role: 'operator', name: 'ada' }, how: 'paid_outside', why: 'by bank transfer' }

  /** What an owner does with one refund, under crashes: the call is made, its outcome may be lost, and it is made again. */
  const refund = async ({ sessionId }: Ordered): Promise<void> => {
    const settles = random() < 0.02
    const call = () =>
      surely(() => {
        const { platform } = store()
        return settles && random() < 0.5
          ? platform.settle(sessionId, settlement, fence)
          : platform.refund(sessionId, fence)
      })
    const calls = random() < 0.15 ? [call(), call(), call()] : [call()]
    const [outcome, ...others] = await Promise.all(calls)
    for (const other of others) expect(other).toEqual(outcome)
    // A crash between the ledger and the fact: the next owner asks again, and is told the same.
    if (random() < 0.15) expect(await call()).toEqual(outcome)
    if (outcome !== undefined) decided.set(sessionId, outcome)
  }
  const endOf = ({ sessionId }: Ordered): NewFact => {
    const outcome = decided.get(sessionId)
    if (outcome === undefined || outcome.kind === 'refused' || outcome.kind === 'error') throw new Error(outcome?.kind)
    return { type: `refund.${outcome.kind}`, data: outcome.data } as NewFact
  }

  const allOf = async <Item>(read: (page: { cursor?: string; limit: number }) => Promise<Page<Item>>) => {
    const items: Item[] = []
    for (let cursor: string | undefined, more = true; more; ) {
      const page = await read({ limit: 97, ...(cursor && { cursor }) })
      items.push(...page.items)
      more = page.next !== null
      cursor = page.next ?? undefined
    }
    return items
  }
  const exceptions = () => allOf((page) => reader.queries.bookLines(page))
  const placesOf = (lines: readonly BookLine[]) =>
    lines.map((line) => `${line.class} ${IN_SESSIONS.has(line.kind) ? line.sessionId : line.ownerId}`).toSorted()
  /** What finance must see of the ways in which sessions were charged, before anybody does damage. */
  const chargedOddly = () => {
    const names: Partial<Record<string, BookClass>> = {
      overage: 'overage',
      unknown: 'charge_unknown',
      nobody: 'never_charged',
    }
    return lost.flatMap(({ charge, sessionId }) => {
      const name = names[charge]
      return name && decided.get(sessionId)?.kind === 'waived' ? [`${name} ${sessionId}`] : []
    })
  }

  it('gives back each credit once, whatever is repeated and lost: ledger and facts agree to the credit', {
    timeout: 120_000,
  }, async () => {
    await archive(
      orders.flatMap((one, index) =>
        factsOf(one, [
          requested({ owner: one.owner }),
          started(),
          ...(index % 3 === 0 ? [failed('provider_unavailable'), refundRequested()] : [completed()]),
        ]),
      ),
    )
    const waiting = [...lost]
    await Promise.all(
      Array.from({ length: CONCURRENCY }, async () => {
        for (let one = waiting.pop(); one !== undefined; one = waiting.pop()) await refund(one)
      }),
    )
    await project()
    await archive(lost.flatMap((one) => factsOf(one, [endOf(one)], 5, 300_000)))
    await project()

    for (const { beforeCommit, afterCommit } of crashes) expect(Math.min(beforeCommit, afterCommit)).toBeGreaterThan(20)
    const outcomes = [...decided.values()]
    const issued = outcomes.filter(({ kind }) => kind === 'issued').length
    const settled = outcomes.filter(({ kind }) => kind === 'settled').length
    expect(decided.size).toBe(lost.length)
    expect(settled).toBeGreaterThan(0)
    const [ledger] = await sql.query<{ refunds: number; sessions: number; credits: number }>(
      `select count(*)::integer as refunds, count(distinct session_id)::integer as sessions, sum(amount)::integer as credits
       from wearon.ledger_refunds`,
    )
    expect(ledger).toEqual({ refunds: issued, sessions: issued, credits: issued })
    const summary = await reader.queries.reconciliation()
    const odd = chargedOddly()
    expect(summary).toMatchObject({ sessions: SESSIONS, givenBack: issued, owed: 0, open: 0, drift: 0, balanced: true })
    expect(summary.classes).toMatchObject({ matched: SESSIONS - settled - odd.length, settled })
    expect(placesOf(await exceptions())).toEqual(odd.toSorted())
    const totals = await allOf((page) => reader.queries.bookTotals(page))
    expect(new Set(totals.map(({ day, ownerId: id }) => `${day} ${id}`)).size).toBe(totals.length)
    expect(totals.reduce((sum, { sessions: count }) => sum + count, 0)).toBe(SESSIONS)
    expect(totals.reduce((sum, { givenBack }) => sum + givenBack, 0)).toBe(issued)
  })

  const ageRow = async (session: string, ms: number) => {
    for (const table of ['generation_sessions', 'store_generation_sessions'])
      await sql.query(`update public.${table} set created_at = created_at - make_interval(secs => $2) where id = $1`, [
        session,
        ms / 1_000,
      ])
  }
  const chargeForNothing = async (shop: string) => {
    const request = `req_of_no_session_${shop}`
    await sql.query('select public.deduct_store_credits($1, 1, $2)', [shop, request])
    await sql.query(
      `update public.store_credit_transactions set created_at = created_at - interval '20 minutes' where request_id = $1`,
      [request],
    )
  }
  const storedBefore = ({ owner, sessionId }: Ordered) => ({
    path: resultPath(owner, sessionId),
    sessionId,
    storedAt: new Date(Date.now() - 20 * MINUTE_MS).toISOString(),
  })

  it('names every damage where it was done, and nowhere else', { timeout: 60_000 }, async () => {
    const tamper = sqlTamper(sql)
    const taken = new Set<string>()
    const take = (from: readonly Ordered[], wanted: (one: Ordered) => boolean): Ordered[] => {
      const found = from.filter((one) => !taken.has(ownerId(one.owner)) && wanted(one))
      const picked: Ordered[] = []
      for (const one of found) {
        if (picked.length === EACH) break
        if (taken.has(ownerId(one.owner))) continue
        taken.add(ownerId(one.owner))
        picked.push(one)
      }
      expect(picked).toHaveLength(EACH)
      return picked
    }
    const isPaidUser = ({ owner, sessionId }: Ordered) =>
      owner.channel === 'b2c' && decided.get(sessionId)?.kind === 'issued'
    const isUser = ({ owner }: Ordered) => owner.channel === 'b2c'
    const isKept = (one: Ordered) => isUser(one) && !decided.has(one.sessionId)
    const planted: string[] = chargedOddly()
    const damage = async (
      name: BookClass,
      places: readonly Ordered[],
      plant: (one: Ordered) => Promise<void>,
      of: 'session' | 'account' = 'session',
    ) => {
      for (const one of places) {
        await plant(one)
        planted.push(`${name} ${of === 'session' ? one.sessionId : ownerId(one.owner)}`)
      }
    }
    const isPaidStore = ({ charge, sessionId }: Ordered) =>
      charge === 'account' && decided.get(sessionId)?.kind === 'issued'
    await damage('missing', take(lost, isPaidUser), ({ sessionId }) => tamper.dropRefund(sessionId))
    await damage(
      'missing',
      take(lost, (one) => !isUser(one) && isPaidStore(one)),
      ({ sessionId }) => tamper.dropRefund(sessionId),
    )
    await damage('duplicate', take(lost, isPaidUser), ({ owner, sessionId }) =>
      tamper.giveBack(owner, `refund:${sessionId}`),
    )
    await damage(
      'duplicate',
      take(lost, (one) => !isUser(one) && isPaidStore(one)),
      ({ owner, sessionId }) => tamper.giveBack(owner, `refund:${sessionId}`),
    )
    await damage('amount_differs', take(lost, isPaidUser), ({ sessionId }) => tamper.changeRefund(sessionId, 5))
    const [friend] = take(orders, isUser)
    await damage('wrong_payer', take(lost, isPaidUser), ({ sessionId }) =>
      tamper.moveRefund(sessionId, friend?.owner as Ordered['owner']),
    )
    await damage('unexpected', take(orders, isKept), ({ owner, sessionId }) =>
      tamper.giveBack(owner, `refund:${sessionId}`),
    )
    await damage('row_differs', take(orders, isKept), ({ sessionId }) => tamper.changeRow(sessionId, 3))
    await damage('unknown_to_us', take(orders, isUser), ({ owner }) => tamper.giveBack(owner, 'a present'), 'account')
    await damage(
      'unknown_to_us',
      take(orders, (one) => !isUser(one)),
      ({ owner }) => tamper.giveBack(owner, 'a present'),
      'account',
    )
    await damage('balance_differs', take(orders, isUser), ({ owner }) => tamper.changeBalance(owner, 7), 'account')
    await damage('charges_differ', take(orders, isUser), ({ owner }) => tamper.charge(owner), 'account')
    const late = await orderMany(sql, 90)
    await archive(
      late.slice(0, EACH).flatMap((one) => factsOf(one, [requested({ owner: one.owner }), started()], 1, 3 * HOUR_MS)),
    )
    await archive(
      late
        .slice(EACH, 2 * EACH)
        .flatMap((one) =>
          factsOf(one, [requested({ owner: one.owner }), failed('expired', 0), refundRequested()], 1, 2 * HOUR_MS),
        ),
    )
    await project()
    await damage('stuck', late.slice(0, EACH), async () => {})
    await damage('overdue', late.slice(EACH, 2 * EACH), async () => {})
    const waiting = late.slice(2 * EACH)
    for (const wanted of [isUser, (one: Ordered) => one.charge === 'shopper'])
      await damage('orphan_row', take(waiting, wanted), ({ sessionId }) => ageRow(sessionId, 20 * MINUTE_MS))
    const shops = take(orders, (one) => !isUser(one))
    await damage('orphan_charge', shops, (one) => chargeForNothing(ownerId(one.owner)), 'account')
    const [left, kept] = [take(lost, isUser), orders.filter((one) => !decided.has(one.sessionId)).slice(0, 1_000)]
    await reader.orphans.noteObjects([...left, ...kept].map(storedBefore), new Date().toISOString(), true)
    await damage('orphan_object', left, async () => {})

    expect(placesOf(await exceptions())).toEqual(planted.toSorted())
    const { balanced, classes } = await reader.queries.reconciliation()
    expect(balanced).toBe(false)
    expect(classes).toMatchObject({ missing: 2 * EACH, duplicate: 2 * EACH, wrong_payer: EACH, stuck: EACH })
  })
})
