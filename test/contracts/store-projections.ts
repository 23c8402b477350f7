import { describe, expect, it } from 'vitest'
import { refunds } from '../../src/projections/refunds.ts'
import { sessions } from '../../src/projections/sessions.ts'
import * as samples from '../support/facts.ts'
import { issued, refundRequested, requested, started, withdrawn } from '../support/facts.ts'
import { factsOf, LOG, newSession, newStore, newUser } from '../support/store-world.ts'
import { BATCH, COMPLETED, REFUNDED, type StoreBench } from './store-bench.ts'

/** The promises of the tables that projections write. */
export const projectionLaws = (bench: StoreBench): void => {
  describe('projections', () => {
    const { ordered, archive, project } = bench

    it('write the rows of a batch once, however often and by however many it is applied', async () => {
      const session = await ordered()
      await archive(session, COMPLETED)
      const patches = sessions.patches(await bench.store.archive.read(0, BATCH))
      const writers = [bench.store, bench.world.open(), bench.world.open()]
      const outcomes = await Promise.all(writers.map(({ tables }) => tables.apply('sessions', 0, 3, patches)))
      expect(outcomes.toSorted()).toEqual(['applied', 'moved', 'moved'])
      expect(await bench.store.tables.position('sessions')).toBe(3)
      expect(await bench.world.row(session)).toMatchObject({ status: 'completed', state: 'completed', seq: 3 })
    })

    it.each([1, 2, 3, 500])('give the same rows in batches of %i', async (batch) => {
      const [done, lost] = [await ordered(), await ordered(newUser())]
      await archive(done, COMPLETED)
      await archive(lost, REFUNDED)
      for (const projection of [sessions, refunds]) await project(projection, bench.store, batch)
      const { imageUrl } = (await bench.store.queries.session(done)) ?? {}
      expect(imageUrl).toBe(samples.result.url)
      expect(await bench.world.row(done)).toMatchObject({ status: 'completed', state: 'completed', errorMessage: null })
      expect(await bench.world.row(lost)).toMatchObject({ status: 'failed', state: 'refunded' })
      expect((await bench.store.queries.refunds({ limit: 10 })).items).toMatchObject([
        { sessionId: lost, state: 'issued', credits: 1 },
      ])
    })

    it('write no row that has a later fact already', async () => {
      const session = await ordered()
      await archive(session, COMPLETED)
      await project(sessions)
      const [early] = sessions.patches([{ ordinal: 1, fact: factsOf(session, [requested()])[0] as never }])
      await bench.store.tables.apply('sessions', 3, 4, early ? [early] : [])
      expect(await bench.world.row(session)).toMatchObject({ status: 'completed', state: 'completed', seq: 3 })
    })

    it('leave the words of whoever ended the row of a withdrawn session', async () => {
      const session = await ordered(newUser())
      await archive(session, [requested(), started()])
      await project(sessions)
      await bench.world.play.failPush(session)
      await archive(session, [withdrawn(), refundRequested(), issued()], 3)
      await project(sessions)
      expect(await bench.world.row(session)).toMatchObject({
        status: 'failed',
        state: 'refunded',
        errorMessage: 'Failed to queue job',
      })
    })

    it('never reopen a row that the platform ended meanwhile', async () => {
      const session = await ordered(newUser())
      await bench.world.play.failPush(session)
      await archive(session, [requested(), started()])
      await project(sessions)
      expect(await bench.world.row(session)).toMatchObject({ status: 'failed', state: 'processing' })
    })

    it("count the rows that are gone, and bring none back, on the platform's tables", async () => {
      const session = newSession()
      await archive(session, COMPLETED)
      await project(sessions)
      expect(await bench.world.row(session)).toBeNull()
      expect(await bench.store.tables.status()).toMatchObject([{ name: 'sessions', position: 3, setAside: 0, gone: 1 }])
      expect(await bench.store.queries.session(session)).toMatchObject({ state: 'completed', attempts: 1 })
    })

    it.each([newUser(), newStore()])(
      'make the missing rows on tables of our own, marked as ours ($channel)',
      async (owner) => {
        const ours = bench.world.open('ours')
        const [missing, there] = [newSession(), await ordered(owner)]
        await archive(missing, [requested({ owner }), started()])
        await archive(there, [requested({ owner }), started()])
        await project(sessions, ours)
        expect(await bench.world.row(missing)).toMatchObject({ state: 'processing', origin: 'worker' })
        expect((await bench.world.row(there))?.origin).not.toBe('worker')
      },
    )

    it('set aside what the database refuses, with what follows of its session, and go on', async () => {
      const [bad, good] = [await ordered(), await ordered()]
      const result = { ...samples.result, durationMs: 3_000_000_000 }
      await bench.store.archive.append(LOG, [
        bench.chain.step(
          ...factsOf(bad, [requested(), started(), { type: 'generation.completed', data: { attempt: 1, result } }]),
          ...factsOf(good, COMPLETED),
        ),
      ])
      await project(sessions, bench.store, 3)
      expect(await bench.world.row(good)).toMatchObject({ state: 'completed' })
      expect(await bench.store.tables.status()).toMatchObject([{ name: 'sessions', position: 6, setAside: 1 }])
      const [later] = sessions.patches([{ ordinal: 7, fact: factsOf(bad, [started(2)], 4)[0] as never }])
      await bench.store.tables.apply('sessions', 6, 7, later ? [later] : [])
      expect(await bench.store.tables.status()).toMatchObject([{ position: 7, setAside: 2 }])
      expect(await bench.store.tables.retrySetAside('sessions')).toBe(1)
    })
  })
}
