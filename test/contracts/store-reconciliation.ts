import { describe, expect, it } from 'vitest'
import type { NewFact } from '../../src/events/fact.ts'
import { refunds } from '../../src/projections/refunds.ts'
import { sessions } from '../../src/projections/sessions.ts'
import { completed, failed, refundRequested, requested, started } from '../support/facts.ts'
import { LOG, newStore, newUser } from '../support/store-world.ts'
import { COMPLETED, grant, REFUNDED, type StoreBench } from './store-bench.ts'

/** The promises of the books. */
export const reconciliationLaws = (bench: StoreBench): void => {
  describe('reconciliation', () => {
    const { ordered, archive, project } = bench

    it('balances when every charge is kept, given back, owed or still at work', async () => {
      await bench.store.history.admit({ log: LOG, partition: 0, epoch: grant(1), head: 0 })
      for (const owner of [newUser(), newStore()]) {
        const [done, lost, owed, open] = [
          await ordered(owner),
          await ordered(owner),
          await ordered(owner),
          await ordered(owner),
        ]
        await archive(done, [requested({ owner }), started(), completed()])
        const outcome = await bench.store.platform.refund(lost, { partition: 0, epoch: 1 })
        if (outcome.kind !== 'issued') throw new Error(outcome.kind)
        const refund: NewFact = { type: 'refund.issued', data: outcome.data }
        await archive(lost, [requested({ owner }), failed('expired', 0), refundRequested(), refund])
        await archive(owed, [requested({ owner }), failed('expired', 0), refundRequested()])
        await archive(open, [requested({ owner })])
      }
      for (const projection of [sessions, refunds]) await project(projection)
      const sums = { charged: 8, kept: 2, givenBack: 2, owed: 2, open: 2 }
      const classes = { matched: 4, overdue: 2, stuck: 2 }
      expect(await bench.store.queries.reconciliation()).toMatchObject({
        ...sums,
        classes,
        balanced: true,
        position: 22,
      })
    })

    it('names a refund of a completed session, a double one, and one that nobody knows', async () => {
      await bench.store.history.admit({ log: LOG, partition: 0, epoch: grant(1), head: 0 })
      const [unexpected, double] = [await ordered(newUser()), await ordered(newUser())]
      await archive(unexpected, COMPLETED)
      await bench.store.platform.refund(double, { partition: 0, epoch: 1 })
      await archive(double, REFUNDED)
      for (const session of [unexpected, double, await ordered(newUser())]) await bench.world.age(session, 11 * 60_000)
      await project(refunds)
      // The refund failed its row, and the user sets it back: now the nightly job gives all three back.
      await bench.world.play.edit(double, 'queued')
      await bench.world.play.midnight()
      const { classes, balanced } = await bench.store.queries.reconciliation()
      expect(classes).toEqual({ unexpected: 1, duplicate: 1 })
      expect(balanced).toBe(false)
    })
  })
}
