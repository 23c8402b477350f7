import { describe, expect, it } from 'vitest'
import type { NewFact } from '../../src/events/fact.ts'
import type { SessionId } from '../../src/events/ids.ts'
import type { Owner } from '../../src/events/owner.ts'
import { resultPath } from '../../src/machines/effects/paths.ts'
import { refunds } from '../../src/projections/refunds.ts'
import { sessions } from '../../src/projections/sessions.ts'
import { failed, refundRequested, requested, started } from '../support/facts.ts'
import { LOG, newSession, newStore, newUser } from '../support/store-world.ts'
import { COMPLETED, grant, type StoreBench } from './store-bench.ts'

const MINUTE_MS = 60_000
const YEAR_MS = 365 * 86_400_000

/** The promises about what lost its other half. */
export const orphanLaws = (bench: StoreBench): void => {
  describe('orphans', () => {
    const { ordered, archive, project } = bench
    const now = () => new Date().toISOString()

    /** Our history begins with a session of somebody else. */
    const begin = async () => archive(await ordered(), COMPLETED)
    /** A row, and what was charged for it, of so long ago. */
    const waiting = async (owner: Owner, ms = 20 * MINUTE_MS) => {
      const session = await ordered(owner)
      await bench.world.age(session, ms)
      await bench.world.tamper.ageCharges(owner, ms)
      return session
    }
    const listed = async () => (await bench.store.orphans.list({ limit: 20 })).items
    const settleable = async (before = now()) =>
      (await bench.store.orphans.rows({ before, limit: 20 })).map(({ sessionId }) => sessionId)
    const giveUp = async (session: SessionId, owner: Owner) => {
      const issues = ['no task came']
      const rejected: NewFact = { type: 'generation.rejected', data: { code: 'task_lost', owner, issues } }
      await archive(session, [rejected, refundRequested()])
      for (const projection of [sessions, refunds]) await project(projection)
    }

    it('are rows that waited a quarter of an hour without a task, and none that has one or ended', async () => {
      await begin()
      const [user, store] = [newUser(), newStore()]
      const [ofUser, ofStore] = [await waiting(user), await waiting(store)]
      await ordered(newUser())
      const [known, ended] = [await waiting(newStore()), await waiting(newStore())]
      await archive(known, [requested({ owner: store })])
      await bench.world.play.edit(ended, 'failed')
      expect(new Set((await listed()).map((one) => one.sessionId))).toEqual(new Set([ofUser, ofStore]))
      expect(new Set(await settleable())).toEqual(new Set([ofUser, ofStore]))
      expect(await bench.store.orphans.row(ofUser)).toEqual({ sessionId: ofUser, owner: user, requestId: null })
      expect(await bench.store.orphans.row(known)).toBeNull()
    })

    it('settle by themselves only when they are older than what waits unread', async () => {
      await begin()
      const session = await waiting(newStore())
      expect(await settleable(new Date(Date.now() - 30 * MINUTE_MS).toISOString())).toEqual([])
      expect(await settleable(new Date(Date.now() - 10 * MINUTE_MS).toISOString())).toEqual([session])
    })

    it('do not settle by themselves from before our first fact, nor when nobody charged the user for so many', async () => {
      const before = await waiting(newStore(), YEAR_MS)
      expect(await settleable()).toEqual([])
      await begin()
      const user = newUser()
      const edited = await ordered(user)
      await bench.world.age(edited, 20 * MINUTE_MS)
      expect(await settleable()).toEqual([])
      expect((await listed()).map(({ sessionId, settles }) => [sessionId, settles])).toEqual([
        [edited, false],
        [before, false],
      ])
    })

    it('given up, get their credit back and are none any more', async () => {
      await begin()
      await bench.store.history.admit({ log: LOG, partition: 0, epoch: grant(1), head: 0 })
      for (const owner of [newUser(), newStore()]) {
        const session = await waiting(owner)
        await giveUp(session, owner)
        const refund = await bench.store.platform.refund(session, { partition: 0, epoch: 1 })
        expect(refund).toMatchObject({ kind: 'issued', data: { how: 'paid', credits: 1 } })
        expect(await bench.world.row(session)).toMatchObject({ status: 'failed', state: 'failed' })
      }
      expect(await listed()).toEqual([])
    })

    it('are charges without a row, until they are given back', async () => {
      const store = newStore()
      const session = await waiting(store)
      await bench.world.dropRow(session)
      expect(await listed()).toMatchObject([
        {
          class: 'orphan_charge',
          sessionId: null,
          ownerId: store.channel === 'b2b' && store.storeId,
          requestId: `req_${session}`,
          credits: 1,
        },
      ])
      await bench.world.tamper.giveBack(store, `req_${session}`)
      expect(await listed()).toEqual([])
    })

    it('are images whose session neither completed nor goes on, for as long as they lie there', async () => {
      const store = newStore()
      const [done, open, lost, unknown] = [newSession(), newSession(), newSession(), newSession()]
      await archive(done, COMPLETED)
      await archive(open, [requested({ owner: store }), started()])
      await archive(lost, [requested({ owner: store }), failed('expired', 0), refundRequested()])
      await project(refunds)
      const storedAt = new Date(Date.now() - 20 * MINUTE_MS).toISOString()
      const results = [done, open, lost, unknown].map((id) => ({
        path: resultPath(store, id),
        sessionId: id,
        storedAt,
      }))
      const young = { path: resultPath(store, newSession()), sessionId: newSession(), storedAt: now() }
      await bench.store.orphans.noteObjects([...results, young], now(), true)
      expect(new Set((await listed()).map((one) => one.sessionId))).toEqual(new Set([lost, unknown]))
      expect((await bench.store.orphans.list({ class: 'orphan_row', limit: 5 })).items).toEqual([])
      await bench.store.orphans.noteObjects([], new Date(Date.now() + 1).toISOString(), true)
      await expect.poll(listed).toEqual([])
    })

    it('stand among the exceptions of the books, as they were at any moment', async () => {
      await begin()
      const store = newStore()
      const session = await waiting(store)
      await project(refunds)
      const asOf = now()
      const before = await bench.store.queries.reconciliation({ asOf })
      expect(before.classes).toMatchObject({ orphan_row: 1 })
      const { items } = await bench.store.queries.bookLines({ class: 'orphan_row', limit: 5 })
      expect(items).toMatchObject([{ sessionId: session, kind: 'session', charged: 1, drift: 0 }])
      await giveUp(session, store)
      expect((await bench.store.queries.reconciliation()).classes).not.toHaveProperty('orphan_row')
    })
  })
}
