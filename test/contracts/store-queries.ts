import { describe, expect, it } from 'vitest'
import type { NewFact } from '../../src/events/fact.ts'
import type { SessionId } from '../../src/events/ids.ts'
import { tenantOf } from '../../src/events/owner.ts'
import type { Queries } from '../../src/projections/queries.ts'
import { refunds } from '../../src/projections/refunds.ts'
import { sessions } from '../../src/projections/sessions.ts'
import { failed, issued, refundRequested, requested, START_MS, started, waived } from '../support/facts.ts'
import { newSession, newStore, newUser } from '../support/store-world.ts'
import { COMPLETED, type StoreBench } from './store-bench.ts'

/** The promises of what HTTP and the command line read. */
export const queryLaws = (bench: StoreBench): void => {
  describe('queries', () => {
    const { ordered, archive, project } = bench

    it('answer from the facts while there is no row, and nothing for a session nobody knows', async () => {
      const session = newSession()
      const owner = newUser()
      expect(await bench.store.queries.session(session)).toBeNull()
      await archive(session, [requested({ owner }), started(), failed('moderation_blocked')])
      expect(await bench.store.queries.session(session)).toMatchObject({
        tenant: tenantOf(owner),
        state: 'failed',
        attempts: 1,
        failureCode: 'moderation_blocked',
        requestId: `req_${session}`,
      })
    })

    it('list the newest sessions first, page by page, each once', async () => {
      const all: SessionId[] = []
      const owner = newUser()
      for (let count = 0; count < 5; count++) {
        const session = await ordered(owner)
        await bench.world.age(session, (5 - count) * 1_000)
        await archive(session, [requested({ owner }), ...(count === 4 ? [] : COMPLETED.slice(1))])
        all.unshift(session)
      }
      const elsewhere = await ordered()
      await archive(elsewhere, COMPLETED)
      await project(sessions)
      await project(refunds)
      const tenant = tenantOf(owner)
      const first = await bench.store.queries.sessions({ tenant, limit: 2 })
      const second = await bench.store.queries.sessions({ tenant, limit: 2, cursor: first.next ?? '' })
      const third = await bench.store.queries.sessions({ tenant, limit: 2, cursor: second.next ?? '' })
      const listed = [first, second, third].flatMap(({ items }) => items.map(({ sessionId }) => sessionId))
      expect(listed).toEqual(all)
      expect(third.next).toBeNull()
      expect((await bench.store.queries.sessions({ state: 'queued', limit: 9 })).items).toMatchObject([
        { sessionId: all[0], tenant },
      ])
      expect((await bench.store.queries.sessions({ limit: 9 })).items).toHaveLength(6)
      expect(await bench.store.queries.backlog(tenant)).toBe(1)
      await bench.store.queries.ping()
    })

    it('count the open sessions by state, with the time of the oldest', async () => {
      const look = async () => {
        await project(sessions)
        await project(refunds)
        return new Map((await bench.store.queries.openSessions()).map((one) => [one.state, one]))
      }
      const before = await look()
      for (const facts of [[requested()], [requested(), started()], [requested(), started()], COMPLETED]) {
        await archive(await ordered(), facts)
      }
      const after = await look()
      const countOf = (state: 'queued' | 'processing') =>
        (after.get(state)?.count ?? 0) - (before.get(state)?.count ?? 0)
      expect([countOf('queued'), countOf('processing')]).toEqual([1, 2])
      expect(Date.parse(after.get('queued')?.oldest ?? '')).toBeLessThanOrEqual(START_MS + 1_000)
    })

    it('list the sessions of one channel, of one tenant and of one state, and of all three', async () => {
      const [store, user] = [newStore(), newUser()]
      const [ofStore, ofUser] = [await ordered(store), await ordered(user)]
      await archive(ofStore, [requested({ owner: store }), started()])
      await archive(ofUser, [requested({ owner: user }), failed('expired', 0), refundRequested(), issued()])
      await project(sessions)
      await project(refunds)
      const list = async (filter: Omit<Parameters<Queries['sessions']>[0], 'limit'>) => {
        const { items } = await bench.store.queries.sessions({ ...filter, limit: 200 })
        return [ofStore, ofUser].filter((id) => items.some(({ sessionId }) => sessionId === id))
      }
      expect(await list({ channel: 'b2b' })).toEqual([ofStore])
      expect(await list({ channel: 'b2c' })).toEqual([ofUser])
      expect(await list({ tenant: tenantOf(user) })).toEqual([ofUser])
      expect(await list({ state: 'processing' })).toEqual([ofStore])
      expect(await list({ state: 'refunded' })).toEqual([ofUser])
      expect(await list({ state: 'processing', channel: 'b2b', tenant: tenantOf(store) })).toEqual([ofStore])
      expect(await list({ state: 'processing', tenant: tenantOf(user) })).toEqual([])
      expect(await list({ channel: 'b2c', tenant: tenantOf(store) })).toEqual([])
    })

    it("count the sessions in each of the machine's states", async () => {
      const look = async () => {
        await project(sessions)
        await project(refunds)
        return new Map((await bench.store.queries.census()).map(({ state, count }) => [state, count]))
      }
      const before = await look()
      const failedOnce = [requested(), failed('expired', 0), refundRequested()]
      const histories: readonly (readonly NewFact[])[] = [
        [requested()],
        [requested(), started()],
        COMPLETED,
        failedOnce,
        [...failedOnce, issued()],
        [...failedOnce, waived('overage')],
        [...failedOnce, waived('overage')],
      ]
      for (const facts of histories) await archive(await ordered(), facts)
      const after = await look()
      const more = [...after].map(([state, count]) => [state, count - (before.get(state) ?? 0)] as const)
      expect(Object.fromEntries(more.filter(([, count]) => count !== 0))).toEqual({
        queued: 1,
        processing: 1,
        completed: 1,
        'failed.owed': 1,
        refunded: 1,
        'failed.settled': 2,
      })
    })

    it('list refunds by state, page by page', async () => {
      for (const end of [[issued()], [waived('overage')], []]) {
        await archive(newSession(), [requested(), failed('expired', 0), refundRequested(), ...end])
      }
      await archive(newSession(), COMPLETED)
      await project(refunds)
      const first = await bench.store.queries.refunds({ limit: 2 })
      const second = await bench.store.queries.refunds({ limit: 2, cursor: first.next ?? '' })
      expect(first.items.length + second.items.length).toBe(3)
      expect((await bench.store.queries.refunds({ state: 'waived', limit: 9 })).items).toMatchObject([
        { state: 'waived', waiverReason: 'overage', channel: 'b2b' },
      ])
    })
  })
}
