import { describe, expect, it } from 'vitest'
import type { NewFact } from '../../src/events/fact.ts'
import type { SessionId } from '../../src/events/ids.ts'
import type { Owner } from '../../src/events/owner.ts'
import type { BookClass } from '../../src/projections/books.ts'
import type { Page } from '../../src/projections/page.ts'
import type { Charge } from '../../src/projections/producer.ts'
import type { BookLine } from '../../src/projections/reconciliation.ts'
import { refunds } from '../../src/projections/refunds.ts'
import { ownerId, sessions } from '../../src/projections/sessions.ts'
import { completed, factAt, failed, refundRequested, requested, settled, started } from '../support/facts.ts'
import { LOG, newSession, newStore, newUser, order, type StoreWorld } from '../support/store-world.ts'
import { grant, openStoreBench } from './store-bench.ts'

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
const fence = { partition: 0, epoch: 1 }

/** The promises of the reconciliation: each difference has its name, at its place, and nothing else has one. */
export const reconciliationContract = (name: string, openWorld: () => Promise<StoreWorld>): void => {
  describe(`${name} reconciliation`, () => {
    const bench = openStoreBench(openWorld)

    /** Facts of a session that was requested `agoMs` ago, a millisecond apart. */
    const happened = async (session: SessionId, facts: readonly NewFact[], agoMs = 1_000) => {
      const at = Date.now() - agoMs
      const stamped = facts.map((fact, index) => ({
        ...factAt(index + 1, fact, at + index, session),
        requestId: `req_${session}`,
      }))
      await bench.store.archive.append(LOG, [bench.chain.step(...stamped)])
    }
    const project = async () => {
      for (const one of [sessions, refunds]) await bench.project(one)
    }
    const charged = async (owner: Owner, charge: Charge = 'account') => {
      const placed = order(owner, charge)
      await bench.world.producer.order(placed)
      return placed.sessionId
    }
    const keeps = async (owner: Owner) => {
      const session = await charged(owner)
      await happened(session, [requested({ owner }), started(), completed()])
      return session
    }
    const loses = async (owner: Owner, charge: Charge = 'account', agoMs = 1_000) => {
      const session = await charged(owner, charge)
      const outcome = await bench.store.platform.refund(session, fence)
      if (outcome.kind !== 'issued' && outcome.kind !== 'waived') throw new Error(outcome.kind)
      const end = { type: `refund.${outcome.kind}`, data: outcome.data } as NewFact
      await happened(session, [requested({ owner }), failed('expired', 0), refundRequested(), end], agoMs)
      return session
    }
    const owes = async (owner: Owner, agoMs: number, ...more: readonly NewFact[]) => {
      const session = await charged(owner)
      await happened(session, [requested({ owner }), failed('expired', 0), refundRequested(), ...more], agoMs)
      return session
    }
    const admitted = () => bench.store.history.admit({ log: LOG, partition: 0, epoch: grant(1), head: 0 })
    const allOf = async <Item>(read: (cursor?: string) => Promise<Page<Item>>) => {
      const items: Item[] = []
      let page = await read()
      for (items.push(...page.items); page.next !== null; items.push(...page.items)) page = await read(page.next)
      return items
    }
    const lines = (filter: { class?: BookClass; session?: SessionId; owner?: string } = {}): Promise<BookLine[]> =>
      allOf((cursor) => bench.store.queries.bookLines({ ...filter, limit: 2, ...(cursor && { cursor }) }))

    it('names each damage where it was done, and nothing else', async () => {
      await admitted()
      const shop = newStore()
      const users = Array.from({ length: 12 }, () => newUser())
      const [one, two, three, four, five, six, seven, eight, nine, ten] = users as [
        Owner,
        Owner,
        Owner,
        Owner,
        Owner,
        Owner,
        Owner,
        Owner,
        Owner,
        Owner,
      ]
      for (const owner of [one, shop]) {
        await keeps(owner)
        await loses(owner)
      }
      await loses(shop, 'shopper')
      await loses(shop, 'shopper_hash')
      await owes(two, 1_000)
      const open = await charged(two)
      await happened(open, [requested({ owner: two }), started()])
      const planted: Partial<Record<BookClass, string>> = {
        missing: await loses(one),
        duplicate: await loses(two),
        amount_differs: await loses(three),
        wrong_payer: await loses(four),
        unexpected: await keeps(five),
        row_differs: await keeps(six),
        overdue: await owes(seven, 2 * HOUR_MS),
        overage: await loses(shop, 'overage'),
        charge_unknown: await loses(newStore(), 'unknown'),
        never_charged: await loses(newStore(), 'nobody'),
        balance_differs: ownerId(eight),
        unknown_to_us: ownerId(nine),
        charges_differ: ownerId(ten),
      }
      const stuck = await charged(seven)
      await happened(stuck, [requested({ owner: seven }), started()], 3 * HOUR_MS)
      for (const owner of [eight, nine, ten]) await keeps(owner)
      await project()
      expect((await lines()).map((line) => line.class).toSorted()).toEqual([
        'charge_unknown',
        'never_charged',
        'overage',
        'overdue',
        'stuck',
      ])

      const { tamper } = bench.world
      const session = (of: BookClass) => planted[of] as SessionId
      await tamper.dropRefund(session('missing'))
      await tamper.giveBack(two, `refund:${session('duplicate')}`)
      await tamper.changeRefund(session('amount_differs'), 2)
      await tamper.moveRefund(session('wrong_payer'), one)
      await tamper.giveBack(five, `refund:${session('unexpected')}`)
      await tamper.changeRow(session('row_differs'), 0)
      await tamper.changeBalance(eight, 3)
      await tamper.giveBack(nine, 'a present')
      await tamper.charge(ten)

      const found = await lines()
      const places = found.map((line) => `${line.class} ${line.kind === 'session' ? line.sessionId : line.ownerId}`)
      const expected = Object.entries({ ...planted, stuck }).map(([of, where]) => `${of} ${where}`)
      expect(places.toSorted()).toEqual(expected.toSorted())
      const summary = await bench.store.queries.reconciliation()
      expect(summary).toMatchObject({
        balanced: false,
        drift: 10,
        escalated: 0,
        classes: { matched: 9, owed: 1, open: 1 },
      })
      for (const line of found) expect(summary.classes[line.class]).toBe(1)
    })

    it('has names for what was settled by hand, and for what was given back all the same', async () => {
      const user = newUser()
      await owes(user, 1_000, settled())
      const twice = await owes(user, 1_000, settled())
      await project()
      await bench.world.tamper.giveBack(user, `refund:${twice}`)
      expect(await lines()).toMatchObject([{ class: 'duplicate', sessionId: twice, drift: 1 }])
      expect(await lines({ class: 'settled' })).toHaveLength(1)
    })

    it('compares nothing of an account that was deleted', async () => {
      await admitted()
      const user = newUser()
      await loses(user)
      await keeps(user)
      await project()
      if (user.channel === 'b2c') await bench.world.play.remove(user.userId)
      const summary = await bench.store.queries.reconciliation()
      expect(summary).toMatchObject({ balanced: true, classes: { account_gone: 2 } })
    })

    it('takes a charge just before midnight and a row just after it for one', async () => {
      const user = newUser()
      await bench.world.age(await keeps(user), DAY_MS)
      await project()
      expect(await lines()).toEqual([])
    })

    it('says the same of a moment however often it is asked, until somebody edits what was there', async () => {
      await admitted()
      const user = newUser()
      await owes(user, 3 * HOUR_MS)
      const paid = await loses(user, 'account', 2 * HOUR_MS)
      await project()
      const asOf = new Date(Date.now() - HOUR_MS / 2).toISOString()
      const then = await bench.store.queries.reconciliation({ asOf })
      await keeps(user)
      await project()
      const later = await bench.store.queries.reconciliation({ asOf })
      expect(later).toMatchObject({ checksum: then.checksum, classes: then.classes, sessions: 2 })
      expect((await bench.store.queries.reconciliation()).checksum).not.toBe(then.checksum)
      await bench.world.tamper.dropRefund(paid)
      expect((await bench.store.queries.reconciliation({ asOf })).checksum).not.toBe(then.checksum)
    })

    it('knows what was still open and owed at an earlier moment', async () => {
      await admitted()
      const user = newUser()
      await loses(user, 'account', 2 * HOUR_MS)
      await project()
      const at = (agoMs: number) =>
        bench.store.queries.reconciliation({ asOf: new Date(Date.now() - agoMs).toISOString() })
      expect((await at(3 * HOUR_MS)).sessions).toBe(0)
      expect((await at(HOUR_MS)).classes).toMatchObject({ matched: 1 })
    })

    it('ages what is owed', async () => {
      const user = newUser()
      for (const agoMs of [60_000, 2 * HOUR_MS, 2 * DAY_MS, 30 * DAY_MS, 31 * DAY_MS]) await owes(user, agoMs)
      await project()
      const { ages, oldestOwedSeconds } = await bench.store.queries.reconciliation()
      const one = { sessions: 1, credits: 1 }
      expect(ages).toEqual({ under_1h: one, under_24h: one, under_7d: one, older: { sessions: 2, credits: 2 } })
      expect(oldestOwedSeconds).toBeGreaterThanOrEqual((31 * DAY_MS) / 1_000 - 1)
    })

    it('adds up per day, channel and owner, and for one owner, day or session', async () => {
      await admitted()
      const [user, shop] = [newUser(), newStore()]
      await keeps(user)
      const lost = await loses(shop)
      await loses(shop, 'account', 3 * DAY_MS)
      await project()
      const totals = await allOf((cursor) => bench.store.queries.bookTotals({ limit: 1, ...(cursor && { cursor }) }))
      const dayOf = (agoMs: number) => new Date(Date.now() - agoMs).toISOString().slice(0, 10)
      expect(totals).toHaveLength(3)
      expect(totals[0]).toMatchObject({ day: dayOf(3 * DAY_MS), channel: 'b2b', ownerId: ownerId(shop), givenBack: 1 })
      expect(totals.find(({ channel }) => channel === 'b2c')).toEqual({
        day: dayOf(1_000),
        channel: 'b2c',
        ownerId: ownerId(user),
        sessions: 1,
        charged: 1,
        kept: 1,
        givenBack: 0,
        owed: 0,
        open: 0,
        drift: 0,
        classes: { matched: 1 },
      })
      const scoped = (scope: object) => bench.store.queries.reconciliation(scope)
      expect(await scoped({ owner: ownerId(shop) })).toMatchObject({ sessions: 2, channels: { b2b: { charged: 2 } } })
      expect(await scoped({ session: lost })).toMatchObject({ sessions: 1, givenBack: 1 })
      const from = new Date(Date.now() - 4 * DAY_MS).toISOString()
      const until = new Date(Date.now() - 2 * DAY_MS).toISOString()
      expect(await scoped({ from, until })).toMatchObject({ sessions: 1, charged: 1, balanced: true })
    })

    it('keeps each run, and one of several that ask at once', async () => {
      await owes(newUser(), 1_000)
      await project()
      const asked = await Promise.all(Array.from({ length: 4 }, () => bench.world.open().queries.reconcile(60_000)))
      expect(new Set(asked.map(({ id }) => id)).size).toBe(1)
      const again = await bench.store.queries.reconcile(-60_000)
      const { items } = await bench.store.queries.reconciliationRuns({ limit: 5 })
      expect(items.map(({ id }) => id)).toEqual([again.id, asked[0]?.id])
      expect(items[1]).toMatchObject({ owed: 1, drift: 0, checksum: asked[0]?.checksum, classes: { owed: 1 } })
    })

    it('tells the story of a refund: what was decided, and the transactions behind it', async () => {
      await admitted()
      const shop = newStore()
      const session = await loses(shop)
      await project()
      expect(await bench.store.queries.refundStory(session)).toMatchObject({
        refund: { sessionId: session, state: 'issued', ownerId: ownerId(shop) },
        decision: { kind: 'issued', data: { how: 'paid', credits: 1 } },
        ledger: [
          { type: 'deduction', amount: -1, account: `store:${ownerId(shop)}` },
          { type: 'refund', amount: 1, description: `refund:${session}` },
        ],
      })
      expect(await bench.store.queries.refundStory(newSession())).toBeNull()
    })

    it('finds refunds by channel, owner, payer and age', async () => {
      await admitted()
      const [user, shop] = [newUser(), newStore()]
      const [ofUser, ofShopper] = [await loses(user), await loses(shop, 'shopper', 2 * HOUR_MS)]
      await project()
      const find = async (filter: object) =>
        (await bench.store.queries.refunds({ ...filter, limit: 9 })).items.map(({ sessionId }) => sessionId)
      expect(await find({ channel: 'b2c' })).toEqual([ofUser])
      expect(await find({ owner: ownerId(shop) })).toEqual([ofShopper])
      expect(await find({ payer: 'Anna@Example.com' })).toEqual([ofShopper])
      expect(await find({ payer: ownerId(user) })).toEqual([ofUser])
      const hourAgo = new Date(Date.now() - HOUR_MS).toISOString()
      expect(await find({ since: hourAgo })).toEqual([ofUser])
      expect(await find({ until: hourAgo })).toEqual([ofShopper])
    })
  })
}
