import { describe, expect, it } from 'vitest'
import type { NewFact } from '../../src/events/fact.ts'
import type { SessionId } from '../../src/events/ids.ts'
import type { Owner } from '../../src/events/owner.ts'
import { refunds } from '../../src/projections/refunds.ts'
import { sessions } from '../../src/projections/sessions.ts'
import { approved, requested } from '../support/facts.ts'
import { LOG, newStore, newUser, order } from '../support/store-world.ts'
import { grant, type StoreBench } from './store-bench.ts'

const DAY_MS = 86_400_000

/** The promises about what was before this system. */
export const pastLaws = (bench: StoreBench): void => {
  describe('past', () => {
    const { ordered, archive, project } = bench
    const yesterday = () => new Date(Date.now() - DAY_MS).toISOString()

    const ended = async (owner: Owner, end: 'completed' | 'failed', days = 2) => {
      const session = await ordered(owner)
      await bench.world.play.edit(session, end)
      await bench.world.age(session, days * DAY_MS)
      return session
    }
    const imported = (owner: Owner): NewFact => ({
      type: 'generation.imported',
      data: { end: 'failed', owner, evidence: 'its row' },
    })
    const importedFailure = async (owner: Owner, ...more: readonly NewFact[]) => {
      const session = await ended(owner, 'failed')
      await archive(session, [imported(owner), ...more])
      return session
    }
    const unreturned = async (sessionsAsked?: readonly SessionId[]) => {
      for (const projection of [sessions, refunds]) await project(projection)
      const filter = { limit: 10, ...(sessionsAsked && { sessions: sessionsAsked }) }
      return (await bench.store.past.unreturned(filter)).items
    }

    it('is every old row that ended without a fact of ours, the oldest first, page by page', async () => {
      const [user, store] = [newUser(), newStore()]
      const [old, older] = [await ended(user, 'failed'), await ended(store, 'completed', 3)]
      await ended(store, 'failed', 0)
      await bench.world.age(await ordered(user), 2 * DAY_MS)
      await archive(await ended(store, 'failed'), [imported(store)])
      const first = await bench.store.past.rows({ before: yesterday(), limit: 1 })
      expect(first.items).toMatchObject([
        { sessionId: older, owner: store, requestId: `req_${older}`, end: 'completed' },
      ])
      const second = await bench.store.past.rows({ before: yesterday(), limit: 1, cursor: first.next ?? '' })
      expect(second).toMatchObject({
        items: [{ sessionId: old, owner: user, requestId: null, end: 'failed' }],
        next: null,
      })
    })

    it('shows each failed session that was charged and never given back, and what the ledger proves', async () => {
      const [user, store] = [newUser(), newStore()]
      const [users, stores] = [await importedFailure(user), await importedFailure(store)]
      const pushed = await ordered(store)
      await bench.world.play.failPush(pushed)
      await archive(pushed, [imported(store)])
      for (const charge of ['overage', 'nobody'] as const) {
        const placed = order(store, charge)
        await bench.world.producer.order(placed)
        await bench.world.play.edit(placed.sessionId, 'failed')
        await archive(placed.sessionId, [imported(store)])
      }
      await importedFailure(store, approved())
      await archive(await ordered(store), [requested({ owner: store })])
      const lines = (await unreturned()).map(({ sessionId, payer, credits, proof }) => [
        sessionId,
        payer,
        credits,
        proof,
      ])
      expect(lines).toHaveLength(3)
      expect(lines).toEqual(
        expect.arrayContaining([
          [users, 'user', 1, 'unproved'],
          [stores, 'store', 1, 'proved'],
          [expect.anything(), 'card', 0, 'proved'],
        ]),
      )
      expect(await unreturned([pushed])).toEqual([])
      expect(await unreturned([users])).toHaveLength(1)
    })

    it('says how many refunds of a user name no session', async () => {
      const user = newUser()
      const session = await importedFailure(user)
      expect((await unreturned([session]))[0]?.detail).toMatch(/^0 refunds/)
      await bench.world.tamper.giveBack(user, 'Generation failed - refund')
      expect((await unreturned([session]))[0]?.detail).toMatch(/^1 refunds/)
    })

    it('is paid once it was approved, and only what was not given back', async () => {
      await bench.store.history.admit({ log: LOG, partition: 0, epoch: grant(1), head: 0 })
      const fence = { partition: 0, epoch: 1 }
      const store = newStore()
      const [owed, pushed] = [await importedFailure(store, approved()), await ordered(store)]
      await bench.world.play.failPush(pushed)
      expect(await bench.store.platform.refund(owed, fence)).toMatchObject({ kind: 'issued', data: { how: 'paid' } })
      expect(await bench.store.platform.refund(pushed, fence)).toMatchObject({ kind: 'issued', data: { how: 'found' } })
      expect(await bench.world.refunds(store)).toHaveLength(2)
    })
  })
}
