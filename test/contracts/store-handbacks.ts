import { describe, expect, it } from 'vitest'
import { tenantOf } from '../../src/events/owner.ts'
import { releaseOf } from '../../src/projections/hand-back.ts'
import { rebuild } from '../../src/projections/rebuild.ts'
import { refunds } from '../../src/projections/refunds.ts'
import { sessions } from '../../src/projections/sessions.ts'
import { handedBack, released, requested, started } from '../support/facts.ts'
import { newStore, newUser } from '../support/store-world.ts'
import type { StoreBench } from './store-bench.ts'

/** The promises about sessions that leave for the producers' list. */
export const handbackLaws = (bench: StoreBench): void => {
  describe('handbacks', () => {
    const { ordered, archive, project } = bench
    const projectAll = async () => {
      for (const projection of [sessions, refunds]) await project(projection)
    }
    const handbacks = () => bench.store.handbacks

    it('find what waits and was never tried, of one tenant or of all, page by page', async () => {
      const [store, user] = [newStore(), newUser()]
      const ofStore = [await ordered(store), await ordered(store)]
      const ofUser = await ordered(user)
      for (const id of ofStore) await archive(id, [requested({ owner: store })])
      await archive(ofUser, [requested({ owner: user })])
      await archive(await ordered(store), [requested({ owner: store }), started()])
      await archive(await ordered(store), [requested({ owner: store }), released()])
      await projectAll()
      const all = [...ofStore, ofUser].toSorted()
      expect(await handbacks().untouched({ limit: 10 })).toEqual(all)
      expect(await handbacks().untouched({ limit: 10, tenant: tenantOf(store) })).toEqual(ofStore.toSorted())
      const [first] = await handbacks().untouched({ limit: 1 })
      expect(first).toBe(all[0])
      expect(await handbacks().untouched({ limit: 2, ...(first && { after: first }) })).toEqual(all.slice(1))
    })

    it('are owed from the release on, once the rows have followed it, until they went', async () => {
      const owner = newStore()
      const session = await ordered(owner)
      await archive(session, [requested({ owner }), released()])
      expect(await handbacks().released(10)).toEqual([])
      await projectAll()
      const [facts, ...others] = await handbacks().released(10)
      expect(others).toEqual([])
      expect(releaseOf(facts ?? [])).toMatchObject({ sessionId: session, seq: 2 })
      expect(await handbacks().counts()).toEqual({ released: 1, handedBack: 0 })
      await archive(session, [handedBack()], 3)
      expect(await handbacks().released(10)).toEqual([])
      expect(await handbacks().counts()).toEqual({ released: 0, handedBack: 1 })
    })

    it('leave a row that waits, as it did before it came, and books that do not miss it', async () => {
      const owner = newUser()
      const session = await ordered(owner)
      await archive(session, [requested({ owner })])
      await projectAll()
      expect(await bench.store.queries.reconciliation()).toMatchObject({ sessions: 1, open: 1, balanced: true })
      expect(await bench.store.queries.backlog(tenantOf(owner))).toBe(1)
      await archive(session, [released(), handedBack()], 2)
      await projectAll()
      expect(await bench.world.row(session)).toMatchObject({ status: 'queued', state: null })
      expect(await bench.store.queries.backlog(tenantOf(owner))).toBe(0)
      expect(await bench.store.queries.openSessions()).toEqual([])
      expect(await bench.store.queries.reconciliation()).toMatchObject({ sessions: 0, open: 0, balanced: true })
      expect((await bench.store.queries.bookLines({ limit: 10 })).items).toEqual([])
      expect(await bench.store.queries.session(session)).toMatchObject({ state: 'queued' })
    })

    it('leave the row to whoever works on it, and take it again when its task comes again', async () => {
      const owner = newStore()
      const [session, another] = [await ordered(owner), await ordered(owner)]
      for (const id of [session, another]) await archive(id, [requested({ owner }), released(), handedBack()])
      await bench.world.play.edit(session, 'completed')
      await projectAll()
      expect(await bench.world.row(session)).toMatchObject({ status: 'completed', state: null })
      expect(await bench.store.queries.reconciliation()).toMatchObject({ sessions: 0, balanced: true })
      await archive(another, [requested({ owner }), started()], 4)
      await projectAll()
      expect(await bench.world.row(another)).toMatchObject({ status: 'processing', state: 'processing', seq: 5 })
      expect(await bench.store.queries.reconciliation()).toMatchObject({ sessions: 1, open: 1, balanced: true })
    })

    it('are the same after their tables were computed anew', async () => {
      const owner = newStore()
      const [gone, again] = [await ordered(owner), await ordered(owner)]
      await archive(gone, [requested({ owner }), released(), handedBack()])
      await archive(again, [requested({ owner }), released(), handedBack(), requested({ owner })])
      await projectAll()
      for (const projection of [sessions, refunds])
        expect(await rebuild(projection, bench.store)).toMatchObject({ drifted: 0 })
      expect(await bench.world.row(gone)).toMatchObject({ state: null })
      expect(await bench.world.row(again)).toMatchObject({ state: 'queued' })
    })
  })
}
