import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { SessionId } from '../../src/events/ids.ts'
import type { Owner } from '../../src/events/owner.ts'
import type { Settlement } from '../../src/events/refund.ts'
import type { Charge } from '../../src/projections/producer.ts'
import type { Store } from '../../src/projections/store.ts'
import { completed, requested, started } from '../support/facts.ts'
import { Chain, factsOf, LOG, newStore, newUser, order, type StoreWorld } from '../support/store-world.ts'

const fence = { partition: 0, epoch: 7 }
const settlement: Settlement = {
  by: { role: 'operator', name: 'ada' },
  how: 'paid_outside',
  why: 'the shop paid by bank transfer',
}

/** The promises of a settlement by hand: it and a payment exclude each other, whichever comes first. */
export const settlementContract = (name: string, openWorld: () => Promise<StoreWorld>): void => {
  describe(`${name} settlement`, () => {
    let world: StoreWorld
    let store: Store

    const charged = async (owner: Owner, charge: Charge = 'account') => {
      const placed = order(owner, charge)
      await world.producer.order(placed)
      return placed.sessionId
    }
    const settle = (session: SessionId, by = store) => by.platform.settle(session, settlement, fence)
    const settled = { kind: 'settled', data: settlement }

    beforeEach(async () => {
      world = await openWorld()
      store = world.open()
      await store.history.admit({ log: LOG, partition: 0, epoch: { number: fence.epoch, token: 'token' }, head: 0 })
    })
    afterEach(() => world.close())

    it.each([newUser(), newStore()])('pays nothing, and no later call pays ($channel)', async (owner) => {
      const session = await charged(owner)
      expect(await settle(session)).toEqual(settled)
      expect(await settle(session)).toEqual(settled)
      expect(await store.platform.refund(session, fence)).toEqual(settled)
      expect(await world.refunds(owner)).toEqual([])
      expect(await world.balance(owner)).toBe(9)
    })

    it('comes too late for what was paid, waived or given back by the platform, and says what was decided', async () => {
      const [user, shop] = [newUser(), newStore()]
      const paid = await charged(user)
      const record = await store.platform.refund(paid, fence)
      expect(await settle(paid)).toEqual(record)
      const overage = await charged(shop, 'overage')
      await store.platform.refund(overage, fence)
      expect(await settle(overage)).toMatchObject({ kind: 'waived', data: { reason: 'overage' } })
      const pushed = await charged(shop)
      await world.play.failPush(pushed)
      expect(await settle(pushed)).toMatchObject({ kind: 'issued', data: { how: 'found' } })
    })

    it('settles nothing of a session that completed', async () => {
      const session = await charged(newUser())
      await store.archive.append(LOG, [new Chain().step(...factsOf(session, [requested(), started(), completed()]))])
      expect(await settle(session)).toMatchObject({ kind: 'waived', data: { reason: 'row_completed' } })
    })

    it('is possible where no payment is: without a balance, without a row', async () => {
      const user = newUser()
      const [unpayable, gone] = [await charged(user), await charged(newUser())]
      await world.dropBalance(user)
      expect(await store.platform.refund(unpayable, fence)).toMatchObject({ kind: 'error' })
      expect(await settle(unpayable)).toEqual(settled)
      await world.dropRow(gone)
      expect(await settle(gone)).toEqual(settled)
    })

    it('leaves no row behind that the nightly job would give back', async () => {
      const user = newUser()
      const session = await charged(user)
      await world.age(session, 11 * 60_000)
      await settle(session)
      await world.play.midnight()
      expect(await world.refunds(user)).toEqual([])
    })

    it('and a payment at the same time: exactly one of both happens, and all are told the same', async () => {
      for (let round = 0; round < 10; round++) {
        const user = newUser()
        const session = await charged(user)
        const processes = Array.from({ length: 4 }, () => world.open())
        const answers = await Promise.all(
          processes.map((by, index) => (index % 2 === 0 ? settle(session, by) : by.platform.refund(session, fence))),
        )
        const [first] = answers
        for (const answer of answers) expect(answer).toEqual(first)
        expect(await world.refunds(user)).toHaveLength(first?.kind === 'settled' ? 0 : 1)
      }
    })

    it('is refused to an earlier owner', async () => {
      const session = await charged(newUser())
      await store.history.admit({ log: LOG, partition: 0, epoch: { number: 8, token: 'later' }, head: 0 })
      expect(await settle(session)).toMatchObject({ kind: 'refused' })
    })
  })
}
