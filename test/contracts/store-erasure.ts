import { describe, expect, it } from 'vitest'
import { memoryLog } from '../../src/adapters/memory/event-log.ts'
import type { Fact, NewFact } from '../../src/events/fact.ts'
import type { Owner } from '../../src/events/owner.ts'
import { sessionTable } from '../../src/machines/compile.ts'
import { replay } from '../../src/machines/snapshot.ts'
import { eraseSome } from '../../src/projections/erase-some.ts'
import { rebuild } from '../../src/projections/rebuild.ts'
import { refunds } from '../../src/projections/refunds.ts'
import { sessions } from '../../src/projections/sessions.ts'
import { realClock } from '../support/clock.ts'
import {
  completed,
  failed,
  issued,
  refundRequested,
  requested,
  result,
  retrying,
  START_MS,
  started,
  waived,
} from '../support/facts.ts'
import { LOG, newStore, newUser, order, SHOPPER } from '../support/store-world.ts'
import { grant, type StoreBench } from './store-bench.ts'

const PICTURE = 'https://images.example/person.jpg'
const IMAGE = 'https://images.example/result.jpg'
const SIGNED = 'token=secret'

/** The promises about how long personal data lives. */
export const erasureLaws = (bench: StoreBench): void => {
  describe('erasure', () => {
    const { ordered, archive, project } = bench
    const asked = (owner = newStore()): NewFact =>
      requested({ owner, imageUrls: [`${PICTURE}?${SIGNED}`, PICTURE], prompt: 'secret wish' })
    const made: NewFact = {
      type: 'generation.completed',
      data: { attempt: 1, result: { ...result, url: `${IMAGE}?${SIGNED}` } },
    }
    const detailed = failed('input_unavailable', 1, `${PICTURE}?${SIGNED} answered with status 404`)
    const objects = { remove: async () => 0 }
    const { letters } = memoryLog({ clock: realClock, newId: () => 'id', partitions: 1 })
    const erase = (owner: Owner) => eraseSome({ erasure: bench.store.erasure, objects, letters }, owner, 'ada')
    const textOf = (facts: readonly Fact[]) => JSON.stringify(facts)
    const projectAll = async () => {
      for (const projection of [sessions, refunds]) await project(projection)
    }
    const drift = async () => {
      const reports = [await rebuild(sessions, bench.store), await rebuild(refunds, bench.store)]
      return reports.map(({ drifted }) => drifted)
    }

    it.each([
      ['completed', [started(), completed()]],
      ['refunded', [started(), detailed, refundRequested(), issued()]],
      ['settled', [started(), detailed, refundRequested(), waived()]],
    ])(
      'takes the signatures out of what a session was asked with once it is %s, and nothing else',
      async (_, facts) => {
        const session = await ordered()
        await archive(session, [asked(), ...facts.slice(0, -1)])
        expect(textOf(await bench.store.archive.session(session))).toContain(SIGNED)
        await archive(session, facts.slice(-1), facts.length + 1)
        const kept = await bench.store.archive.session(session)
        expect(textOf(kept)).not.toContain(SIGNED)
        expect(kept[0]?.data).toMatchObject({ imageUrls: [PICTURE, PICTURE], prompt: 'secret wish' })
        expect((await bench.store.archive.read(0, 10)).map(({ fact }) => fact)).toEqual(kept)
        expect(replay(sessionTable, session, kept).seq).toBe(facts.length + 1)
      },
    )

    it('takes a result’s own signature out once it is worth nothing, and the row keeps it', async () => {
      const session = await ordered()
      await archive(session, [asked(), started(), made])
      await projectAll()
      expect(await bench.world.row(session)).toMatchObject({ imageUrl: `${IMAGE}?${SIGNED}` })
      expect(await bench.store.erasure.forgetExpired(10)).toBe(1)
      expect(await bench.store.erasure.forgetExpired(10)).toBe(0)
      expect(textOf(await bench.store.archive.session(session))).not.toContain(SIGNED)
      expect(await drift()).toEqual([0, 0])
      expect(await bench.world.row(session)).toMatchObject({ imageUrl: `${IMAGE}?${SIGNED}` })
    })

    it('blanks what is kept of an owner’s closed sessions, and nobody else’s', async () => {
      await bench.store.history.admit({ log: LOG, partition: 0, epoch: grant(1), head: 0 })
      const store = newStore()
      const placed = order(store, 'shopper')
      await bench.world.producer.order(placed)
      const paid = placed.sessionId
      const outcome = await bench.store.platform.refund(paid, { partition: 0, epoch: 1 })
      if (outcome.kind !== 'issued') throw new Error(outcome.kind)
      const words = retrying(1, START_MS, `Shopper credits not found for ${SHOPPER}`)
      const refund: NewFact = { type: 'refund.issued', data: outcome.data }
      await archive(paid, [asked(store), started(), failed('internal', 1, 'secret'), refundRequested(), words, refund])
      const [done, open, foreign] = [await ordered(store), await ordered(store), await ordered()]
      await archive(done, [asked(store), started(), made])
      await archive(open, [asked(store)])
      await archive(foreign, [asked(), started(), made])
      await projectAll()
      const asOf = new Date().toISOString()
      const before = await bench.store.queries.reconciliation({ asOf })
      const states = await Promise.all([paid, done].map(async (id) => replayed(await bench.store.archive.session(id))))

      const found = await bench.store.erasure.erasable(store, 10)
      expect([found.open, found.sessions.length]).toEqual([1, 2])
      expect((await erase(store)).sessions).toBe(2)
      expect(await erase(store)).toEqual({ sessions: 0, open: 1, objects: 0, letters: 0, more: false })

      for (const [index, id] of [paid, done].entries()) {
        const kept = await bench.store.archive.session(id)
        expect(textOf(kept)).not.toMatch(/secret|anna|images\.example/i)
        expect(replayed(kept)).toEqual(states[index])
      }
      expect(textOf(await bench.store.archive.session(foreign))).toContain('secret wish')
      expect(textOf(await bench.store.archive.session(open))).toContain(SIGNED)
      expect(await bench.world.row(done)).toMatchObject({ imageUrl: 'expired' })
      expect(JSON.stringify(await bench.store.queries.refunds({ limit: 10 }))).not.toMatch(/anna/i)
      const again = await bench.store.platform.refund(paid, { partition: 0, epoch: 1 })
      expect(again).toMatchObject({ kind: 'issued', data: { payer: { email: 'erased' } } })
      expect(await drift()).toEqual([0, 0])
      expect(await bench.store.queries.reconciliation({ asOf })).toMatchObject({
        checksum: before.checksum,
        classes: before.classes,
      })
    })

    it('finds a user’s sessions, also those whose row is gone', async () => {
      const user = newUser()
      const session = await ordered(user)
      await archive(session, [asked(user), started(), made])
      await projectAll()
      await bench.world.play.remove(user.channel === 'b2c' ? user.userId : '')
      expect((await erase(user)).sessions).toBe(1)
      expect(textOf(await bench.store.archive.session(session))).not.toContain('secret')
    })
  })
}

const replayed = ([first, ...rest]: readonly Fact[]) => {
  if (first === undefined) throw new Error('no facts')
  const { seq, state } = replay(sessionTable, first.sessionId, [first, ...rest])
  return { seq, state }
}
