import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { SessionId } from '../../src/events/ids.ts'
import type { Owner } from '../../src/events/owner.ts'
import type { Charge } from '../../src/projections/producer.ts'
import { sessions } from '../../src/projections/sessions.ts'
import type { Store } from '../../src/projections/store.ts'
import { completed, failed, refundRequested, requested, started } from '../support/facts.ts'
import {
  ALL_CAPABILITIES,
  Chain,
  factsOf,
  LOG,
  newSession,
  newStore,
  newUser,
  order,
  SHOPPER,
  type StoreCapabilities,
  type StoreWorld,
} from '../support/store-world.ts'

const fence = { partition: 0, epoch: 7 }

/** The promises of the platform's port: what is asked before a try, and the refund that happens at most once. */
export const platformContract = (
  name: string,
  openWorld: () => Promise<StoreWorld>,
  { ownTables }: StoreCapabilities = ALL_CAPABILITIES,
): void => {
  describe(`${name} platform`, () => {
    let world: StoreWorld
    let store: Store

    const admit = (number: number, token = `token-${number}`) =>
      store.history.admit({ log: LOG, partition: fence.partition, epoch: { number, token }, head: 0 })
    const charged = async (owner: Owner, charge: Charge = 'account') => {
      const placed = order(owner, charge)
      await world.producer.order(placed)
      return placed.sessionId
    }
    const refund = (session: SessionId, by = store) => by.platform.refund(session, fence)
    const issuedTo = (payer: object, how: 'paid' | 'found' = 'paid') => ({
      kind: 'issued',
      data: { credits: 1, payer, ledgerRecord: expect.any(String) as string, how },
    })
    const waivedFor = (reason: string) => ({ kind: 'waived', data: { reason, detail: expect.any(String) as string } })

    beforeEach(async () => {
      world = await openWorld()
      store = world.open()
      await admit(fence.epoch)
    })
    afterEach(() => world.close())

    describe('refund', () => {
      it('gives a user the credit back under the session id', async () => {
        const user = newUser()
        const session = await charged(user)
        expect(await world.balance(user)).toBe(9)
        const { channel: _, ...account } = user
        expect(await refund(session)).toEqual(issuedTo({ kind: 'user', ...account }))
        expect(await world.balance(user)).toBe(10)
        expect(await world.refunds(user)).toEqual([`refund:${session}`])
      })

      it('gives a store the credit back', async () => {
        const shop = newStore()
        const session = await charged(shop)
        const { channel: _, ...account } = shop
        expect(await refund(session)).toEqual(issuedTo({ kind: 'store', ...account }))
        expect(await world.balance(shop)).toBe(10)
      })

      it.each(['shopper', 'shopper_hash'] as const)(
        'gives a shopper the credit back whose charge carries the %s mark',
        async (mark) => {
          const shop = newStore()
          const session = await charged(shop, mark)
          expect(await world.balance(shop, SHOPPER)).toBe(9)
          const { channel: _, ...account } = shop
          expect(await refund(session)).toEqual(issuedTo({ kind: 'shopper', ...account, email: SHOPPER.toLowerCase() }))
          expect(await world.balance(shop, SHOPPER)).toBe(10)
          expect(await world.balance(shop)).toBe(10)
        },
      )

      it.each([
        ['overage', 'overage'],
        ['unknown', 'charge_unknown'],
        ['nobody', 'never_charged'],
      ] as const)('gives nothing back to a store whose charge is %s, and says %s', async (charge, reason) => {
        const shop = newStore()
        const session = await charged(shop, charge)
        expect(await refund(session)).toEqual(waivedFor(reason))
        expect(await world.balance(shop)).toBe(10)
        expect(await world.refunds(shop)).toEqual([])
      })

      it.each([newUser(), newStore()])(
        'answers a repeat with the first answer and pays once ($channel)',
        async (owner) => {
          const session = await charged(owner)
          const first = await refund(session)
          expect(await refund(session)).toEqual(first)
          expect(await refund(session, world.open())).toEqual(first)
          expect(await world.balance(owner)).toBe(10)
          expect(await world.refunds(owner)).toHaveLength(1)
        },
      )

      it.each([newUser(), newStore()])(
        'pays once when several processes ask at the same time ($channel)',
        async (owner) => {
          const session = await charged(owner)
          const processes = Array.from({ length: 6 }, () => world.open())
          const answers = await Promise.all(processes.map((by) => refund(session, by)))
          expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1)
          expect(await world.balance(owner)).toBe(10)
          expect(await world.refunds(owner)).toHaveLength(1)
        },
      )

      it('gives each of many sessions of an account its own credit back, however they overlap', async () => {
        const user = newUser()
        const charges: SessionId[] = []
        for (let count = 0; count < 8; count++) charges.push(await charged(user))
        const processes = [world.open(), world.open()]
        await Promise.all(charges.flatMap((session) => processes.map((by) => refund(session, by))))
        expect(await world.balance(user)).toBe(10)
        expect(await world.refunds(user)).toHaveLength(8)
      })

      it('leaves no row behind that the nightly job would give back again', async () => {
        const user = newUser()
        const session = await charged(user)
        await world.age(session, 11 * 60_000)
        await refund(session)
        await world.play.midnight()
        expect(await world.refunds(user)).toHaveLength(1)
        expect(await world.balance(user)).toBe(10)
      })

      it('finds what the platform gave back when its push failed', async () => {
        for (const owner of [newUser(), newStore()]) {
          const session = await charged(owner)
          await world.play.failPush(session)
          expect(await refund(session)).toMatchObject({ kind: 'issued', data: { how: 'found', credits: 1 } })
          expect(await world.balance(owner)).toBe(10)
        }
      })

      it('lets the refund of one failed push stand for one session only', async () => {
        const user = newUser()
        const [one, other] = [await charged(user), await charged(user)]
        await world.play.failPush(one)
        await world.play.failPush(other)
        const records = await Promise.all([refund(one), refund(other)])
        expect(new Set(records.map((record) => record.kind === 'issued' && record.data.ledgerRecord)).size).toBe(2)
        expect(await world.balance(user)).toBe(10)
      })

      it('does not take an older failed push of the same user for this one', async () => {
        const user = newUser()
        const older = await charged(user)
        await world.play.failPush(older)
        const session = await charged(user)
        expect(await refund(session)).toMatchObject({ kind: 'issued', data: { how: 'paid' } })
        expect(await world.balance(user)).toBe(10)
      })

      it('finds what the nightly job gave back', async () => {
        const user = newUser()
        const session = await charged(user)
        await world.age(session, 11 * 60_000)
        await world.play.midnight()
        expect(await refund(session)).toMatchObject({ kind: 'issued', data: { how: 'found' } })
        expect(await world.balance(user)).toBe(10)
      })

      it('gives nothing back for a session whose row is completed', async () => {
        const user = newUser()
        const session = await charged(user)
        await world.play.edit(session, 'completed')
        expect(await refund(session)).toEqual(waivedFor('row_completed'))
        expect(await world.balance(user)).toBe(9)
      })

      it('gives nothing back for a session whose facts say completed, whatever the row says', async () => {
        const user = newUser()
        const session = await charged(user)
        await store.archive.append(LOG, [new Chain().step(...factsOf(session, [requested(), started(), completed()]))])
        await world.play.edit(session, 'failed')
        expect(await refund(session)).toEqual(waivedFor('row_completed'))
        expect(await world.balance(user)).toBe(9)
      })

      it('gives back what a store that uninstalled paid for', async () => {
        const shop = newStore()
        const session = await charged(shop)
        if (shop.channel === 'b2b') await world.play.uninstall(shop.storeId)
        expect(await refund(session)).toMatchObject({ kind: 'issued', data: { how: 'paid' } })
        expect(await world.balance(shop)).toBe(10)
      })

      it('gives nothing back when the row is gone', async () => {
        const user = newUser()
        const session = await charged(user)
        if (user.channel === 'b2c') await world.play.remove(user.userId)
        expect(await refund(session)).toEqual(waivedFor('never_charged'))
      })

      it.runIf(ownTables)('gives nothing back for a row that was made here', async () => {
        const ours = world.open('ours')
        const session = newSession()
        const facts = factsOf(session, [requested({ owner: newUser() })])
        await ours.archive.append(LOG, [new Chain().step(...facts)])
        await ours.tables.apply('sessions', 0, 1, sessions.patches(facts.map((fact) => ({ ordinal: 1, fact }))))
        expect(await world.row(session)).toMatchObject({ origin: 'worker' })
        expect(await refund(session)).toEqual(waivedFor('never_charged'))
      })

      it.each([newUser(), newStore()])(
        'says so when there is no balance to add to, and pays once there is ($channel)',
        async (owner) => {
          const session = await charged(owner)
          await world.dropBalance(owner)
          expect(await refund(session)).toMatchObject({
            kind: 'error',
            detail: expect.stringContaining('no balance row') as string,
          })
          expect(await world.refunds(owner)).toEqual([])
          await charged(owner)
          expect(await refund(session)).toMatchObject({ kind: 'issued', data: { how: 'paid' } })
          expect(await world.balance(owner)).toBe(10)
        },
      )

      it('refuses an earlier owner, also one that was never admitted', async () => {
        const user = newUser()
        const session = await charged(user)
        await admit(8)
        expect(await refund(session)).toMatchObject({ kind: 'refused' })
        expect(await store.platform.refund(session, { partition: 1, epoch: 1 })).toMatchObject({ kind: 'refused' })
        expect(await world.balance(user)).toBe(9)
        expect(await store.platform.refund(session, { partition: 0, epoch: 8 })).toMatchObject({ kind: 'issued' })
      })
    })

    describe('look', () => {
      const look = (session: SessionId) => store.platform.look(session)

      it('wants a session that is queued', async () => {
        expect(await look(await charged(newUser()))).toEqual({ wanted: true })
        expect(await look(await charged(newStore(), 'shopper'))).toEqual({ wanted: true })
      })

      it('wants no session whose row someone else ended', async () => {
        const session = await charged(newStore())
        await world.play.edit(session, 'completed')
        expect(await look(session)).toMatchObject({ wanted: false, why: 'row_completed' })
        await world.play.edit(session, 'failed')
        expect(await look(session)).toMatchObject({ wanted: false, why: 'row_failed' })
      })

      it('wants no session whose credit is given back', async () => {
        const paid = await charged(newStore())
        await refund(paid)
        expect(await look(paid)).toMatchObject({ wanted: false, why: 'given_back' })
        const pushed = await charged(newUser())
        await world.play.failPush(pushed)
        // Even where the user makes the row look queued again.
        expect(await look(pushed)).toMatchObject({ wanted: false, why: 'given_back' })
      })

      it('wants no session whose row is gone', async () => {
        expect(await look(newSession())).toMatchObject({ wanted: false, why: 'row_gone' })
      })

      it.runIf(ownTables)(
        'waits for the row of a session that is not projected yet, on tables of our own',
        async () => {
          const ours = world.open('ours')
          const session = newSession()
          const owner = newUser()
          const facts = factsOf(session, [requested({ owner }), started(), failed('internal'), refundRequested()])
          expect(await ours.platform.look(session)).toEqual({ wanted: true })
          await ours.archive.append(LOG, [new Chain().step(...facts.slice(0, 1))])
          expect(await ours.platform.look(session)).toEqual({ wanted: true })
          await ours.tables.apply('sessions', 0, 1, sessions.patches(await ours.archive.read(0, 1)))
          expect(await ours.platform.look(session)).toEqual({ wanted: true })
          if (owner.channel === 'b2c') await world.play.remove(owner.userId)
          expect(await ours.platform.look(session)).toMatchObject({ wanted: false, why: 'row_gone' })
        },
      )
    })
  })
}
