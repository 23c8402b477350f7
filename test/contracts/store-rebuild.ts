import { describe, expect, it } from 'vitest'
import type { Projection } from '../../src/projections/projection.ts'
import { rebuild } from '../../src/projections/rebuild.ts'
import { refunds } from '../../src/projections/refunds.ts'
import { sessions } from '../../src/projections/sessions.ts'
import { requested, started } from '../support/facts.ts'
import { newSession, newUser, type StoreCapabilities } from '../support/store-world.ts'
import { COMPLETED, REFUNDED, type StoreBench } from './store-bench.ts'

/** The promises of a rebuild beside the live rows. */
export const rebuildLaws = (bench: StoreBench, { ownTables }: StoreCapabilities): void => {
  describe('rebuild', () => {
    const { ordered, archive, project } = bench

    const run = (projection: Projection, on = bench.store) => rebuild(projection, on)

    it('finds nothing to correct in rows that are as the facts say', async () => {
      const [done, lost] = [await ordered(), await ordered(newUser())]
      await archive(done, COMPLETED)
      await archive(lost, REFUNDED)
      for (const projection of [sessions, refunds]) {
        await project(projection)
        expect(await run(projection)).toMatchObject({ position: 8, rows: 2, drifted: 0, columns: {} })
      }
    })

    it('reports what is different, and corrects it in place', async () => {
      const session = await ordered(newUser())
      await archive(session, COMPLETED)
      await project(sessions)
      await bench.world.damage(session)
      expect(await run(sessions)).toMatchObject({
        drifted: 1,
        columns: { attempts: { count: 1, samples: [{ sessionId: session, was: 99, now: 1 }] } },
      })
      expect(await bench.store.queries.session(session)).toMatchObject({ attempts: 1 })
      expect(await run(sessions)).toMatchObject({ drifted: 0 })
    })

    it.runIf(ownTables)(
      'makes missing rows anew on tables of our own, but none of a user who was deleted',
      async () => {
        const ours = bench.world.open('ours')
        const [here, gone] = [newUser(), newUser()]
        const [lost, deleted] = [newSession(), newSession()]
        await archive(lost, [requested({ owner: here }), started()])
        await archive(deleted, [requested({ owner: gone }), started()])
        await project(sessions, ours)
        await bench.world.dropRow(lost)
        if (gone.channel === 'b2c') await bench.world.play.remove(gone.userId)
        expect(await run(sessions, ours)).toMatchObject({ drifted: 1, columns: { row: { count: 1 } } })
        expect(await bench.world.row(lost)).toMatchObject({ state: 'processing', origin: 'worker', seq: 2 })
        expect(await bench.world.row(deleted)).toBeNull()
      },
    )

    it('takes an expired image for no drift', async () => {
      const session = await ordered(newUser())
      await archive(session, COMPLETED)
      await project(sessions)
      await bench.world.age(session, 7 * 3_600_000)
      await bench.world.play.midnight()
      expect(await run(sessions)).toMatchObject({ drifted: 0 })
      expect(await bench.world.row(session)).toMatchObject({ imageUrl: 'expired' })
    })

    it('catches up with a projection that goes on meanwhile', async () => {
      const done = await ordered()
      await archive(done, COMPLETED)
      await project(sessions)
      const late = await ordered()
      const { tables } = bench.store
      let grown = false
      const rebuilds = {
        ...bench.store.rebuilds,
        switchOver: async (of: string) => {
          if (!grown) {
            grown = true
            await archive(late, COMPLETED)
            await project(sessions)
          }
          return bench.store.rebuilds.switchOver(of)
        },
      }
      expect(await rebuild(sessions, { archive: bench.store.archive, tables, rebuilds })).toMatchObject({
        position: 6,
        rows: 2,
        drifted: 0,
      })
      expect(await bench.store.tables.status()).toMatchObject([{ name: 'sessions', position: 6 }])
    })
  })
}
