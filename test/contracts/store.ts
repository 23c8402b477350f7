import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { NewFact } from '../../src/events/fact.ts'
import type { SessionId } from '../../src/events/ids.ts'
import { tenantOf } from '../../src/events/owner.ts'
import type { Projection } from '../../src/projections/projection.ts'
import { rebuild } from '../../src/projections/rebuild.ts'
import { refunds } from '../../src/projections/refunds.ts'
import { sessions } from '../../src/projections/sessions.ts'
import { ArchiveRefused, type Store } from '../../src/projections/store.ts'
import { eventually } from '../support/eventually.ts'
import * as samples from '../support/facts.ts'
import { completed, failed, issued, refundRequested, requested, started, waived, withdrawn } from '../support/facts.ts'
import { Chain, factsOf, LOG, newSession, newStore, newUser, order, type StoreWorld } from '../support/store-world.ts'

type Reservation = Parameters<Store['acceptances']['reserve']>[0]

const BATCH = 500
const COMPLETED = [requested(), started(), completed()]
const REFUNDED = [requested(), started(), failed('internal'), refundRequested(), issued()]

/** The promises of the archive, the history, the projections' tables, the queries and the acceptances. */
export const storeContract = (name: string, openWorld: () => Promise<StoreWorld>): void => {
  describe(`${name} store`, () => {
    let world: StoreWorld
    let store: Store
    let chain: Chain

    const ordered = async (owner = newStore()): Promise<SessionId> => {
      const placed = order(owner)
      await world.producer.order(placed)
      return placed.sessionId
    }
    const archive = (session: SessionId, facts: readonly NewFact[], first = 1) =>
      store.archive.append(LOG, [chain.step(...factsOf(session, facts, first))])
    const project = async (projection: Projection, on = store, batch = BATCH) => {
      for (;;) {
        const from = await on.tables.position(projection.name)
        const facts = await on.archive.read(from, batch)
        const to = facts.at(-1)?.ordinal
        if (to === undefined) return
        await on.tables.apply(projection.name, from, to, projection.patches(facts))
      }
    }
    const grant = (number: number) => ({ number, token: `token-${number}` })

    beforeEach(async () => {
      world = await openWorld()
      store = world.open()
      chain = new Chain()
    })
    afterEach(() => world.close())

    describe('archive', () => {
      it('gives every fact an ordinal without a gap, in the order of its steps', async () => {
        const [one, other] = [newSession(), newSession()]
        const elsewhere = new Chain(1)
        const steps = [
          chain.step(...factsOf(one, [requested()])),
          elsewhere.step(...factsOf(other, COMPLETED)),
          chain.step(...factsOf(one, [started()], 2)),
          chain.step(),
        ]
        expect(await store.archive.append(LOG, steps)).toBe('appended')
        const facts = await store.archive.read(0, 100)
        expect(facts.map(({ ordinal }) => ordinal)).toEqual([1, 2, 3, 4, 5])
        expect(facts.map(({ fact }) => fact)).toEqual(steps.flatMap((step) => step.facts))
        expect(await store.archive.read(1, 2)).toEqual(facts.slice(1, 3))
        expect(await store.archive.head()).toBe(5)
        expect(await store.archive.session(other)).toEqual(factsOf(other, COMPLETED))
        expect(await store.archive.heads()).toEqual(
          new Map([
            [0, { log: LOG, ...chain.head }],
            [1, { log: LOG, ...elsewhere.head }],
          ]),
        )
      })

      it('refuses steps that do not follow, all of the call', async () => {
        const first = chain.step(...factsOf(newSession(), COMPLETED))
        const second = chain.step(...factsOf(newSession(), COMPLETED))
        expect(await store.archive.append(LOG, [second])).toBe('moved')
        expect(await store.archive.append(LOG, [first])).toBe('appended')
        expect(await store.archive.append(LOG, [first])).toBe('moved')
        const stranger = { ...second, previous: 'another step' }
        expect(await store.archive.append(LOG, [new Chain(1).step(), stranger])).toBe('moved')
        expect(await store.archive.append('another log', [second])).toBe('moved')
        expect(await store.archive.head()).toBe(3)
        expect((await store.archive.heads()).size).toBe(1)
      })

      it('refuses a fact that it has already, and nothing of the call is kept', async () => {
        const session = newSession()
        await archive(session, COMPLETED)
        const head = chain.head
        await expect(archive(session, COMPLETED)).rejects.toThrow(ArchiveRefused)
        expect(await store.archive.head()).toBe(3)
        expect((await store.archive.heads()).get(0)).toEqual({ log: LOG, ...head })
      })

      it('lets exactly one of several writers append, and loses nothing', async () => {
        const step = chain.step(...factsOf(newSession(), COMPLETED))
        const writers = [store, world.open(), world.open(), world.open()]
        const outcomes = await Promise.all(writers.map(({ archive: own }) => own.append(LOG, [step])))
        expect(outcomes.filter((outcome) => outcome === 'appended')).toHaveLength(1)
        expect(await store.archive.head()).toBe(3)
      })

      it('calls back when it has grown', async () => {
        let calls = 0
        world.open().archive.onGrowth(() => calls++)
        // What is sent before the other process listens is lost: send until something arrives.
        await eventually(async () => {
          await archive(newSession(), COMPLETED)
          expect(calls).toBeGreaterThan(0)
        })
      })
    })

    describe('history', () => {
      it('admits a later epoch or the same grant, and no earlier one', async () => {
        const admit = (number: number, token = `token-${number}`, log = LOG) =>
          store.history.admit({ log, partition: 0, epoch: { number, token } })
        expect(await admit(5)).toEqual({ admitted: true, archived: null })
        await archive(newSession(), COMPLETED)
        expect(await admit(5)).toEqual({ admitted: true, archived: chain.head })
        expect(await admit(5, 'another')).toMatchObject({ admitted: false, reason: 'epoch_went_back' })
        expect(await admit(4)).toMatchObject({ admitted: false, reason: 'epoch_went_back', archived: chain.head })
        expect(await admit(6, 'later', 'another log')).toMatchObject({ admitted: false, reason: 'log_replaced' })
        expect(await admit(6)).toMatchObject({ admitted: true })
      })

      it('knows its sessions and steps', async () => {
        const session = newSession()
        await archive(session, COMPLETED)
        const step = chain.head
        await archive(newSession(), COMPLETED)
        expect(await store.history.knows([session, newSession()])).toEqual(new Set([session]))
        expect(await store.history.step(0, 1)).toEqual(step)
        expect(await store.history.step(0, 3)).toBeNull()
        expect(await store.history.step(1, 1)).toBeNull()
      })

      it('tells the sessions behind a step with all their facts', async () => {
        const [early, both, late] = [newSession(), newSession(), newSession()]
        await store.archive.append(LOG, [chain.step(...factsOf(early, COMPLETED), ...factsOf(both, [requested()]))])
        await store.archive.append(LOG, [chain.step(...factsOf(both, [started()], 2), ...factsOf(late, [requested()]))])
        const after = await store.history.sessionsAfter(0, 1)
        expect(after).toEqual(
          new Map([
            [both, factsOf(both, [requested(), started()])],
            [late, factsOf(late, [requested()])],
          ]),
        )
        expect((await store.history.sessionsAfter(0, 2)).size).toBe(0)
        expect((await store.history.sessionsAfter(1, 0)).size).toBe(0)
      })

      it('ends a repair: takes what is new, continues at the new head, and repeats harmlessly', async () => {
        const [kept, lost, grown] = [newSession(), newSession(), newSession()]
        await archive(kept, COMPLETED)
        const common = chain.head
        await archive(lost, REFUNDED)
        await archive(newSession(), COMPLETED)
        const other = new Chain(0, common)
        const steps = [other.step(...factsOf(grown, [requested()])), other.step(...factsOf(lost, REFUNDED))]
        const claim = { log: 'log-2', partition: 0, epoch: grant(3) }
        const head = other.head ?? { number: 0, id: '' }
        for (let repeat = 0; repeat < 2; repeat++) {
          await store.history.mend(claim, steps, head)
          expect(await store.archive.head()).toBe(12)
          expect((await store.archive.heads()).get(0)).toEqual({ log: 'log-2', ...head })
        }
        expect(await store.history.step(0, 2)).toEqual({ number: 2, id: steps[0]?.id })
        expect(await store.archive.session(grown)).toEqual(factsOf(grown, [requested()]))
        expect((await store.history.sessionsAfter(0, head.number)).size).toBe(0)
        expect(await store.history.admit({ ...claim, epoch: grant(4) })).toEqual({ admitted: true, archived: head })
        expect(await store.archive.append('log-2', [other.step()])).toBe('appended')
      })
    })

    describe('projections', () => {
      it('write the rows of a batch once, however often and by however many it is applied', async () => {
        const session = await ordered()
        await archive(session, COMPLETED)
        const patches = sessions.patches(await store.archive.read(0, BATCH))
        const writers = [store, world.open(), world.open()]
        const outcomes = await Promise.all(writers.map(({ tables }) => tables.apply('sessions', 0, 3, patches)))
        expect(outcomes.toSorted()).toEqual(['applied', 'moved', 'moved'])
        expect(await store.tables.position('sessions')).toBe(3)
        expect(await world.row(session)).toMatchObject({ status: 'completed', state: 'completed', seq: 3 })
      })

      it.each([1, 2, 3, 500])('give the same rows in batches of %i', async (batch) => {
        const [done, lost] = [await ordered(), await ordered(newUser())]
        await archive(done, COMPLETED)
        await archive(lost, REFUNDED)
        for (const projection of [sessions, refunds]) await project(projection, store, batch)
        const { imageUrl } = (await store.queries.session(done)) ?? {}
        expect(imageUrl).toBe(samples.result.url)
        expect(await world.row(done)).toMatchObject({ status: 'completed', state: 'completed', errorMessage: null })
        expect(await world.row(lost)).toMatchObject({ status: 'failed', state: 'refunded' })
        expect((await store.queries.refunds({ limit: 10 })).items).toMatchObject([
          { sessionId: lost, state: 'issued', credits: 1 },
        ])
      })

      it('write no row that has a later fact already', async () => {
        const session = await ordered()
        await archive(session, COMPLETED)
        await project(sessions)
        const [early] = sessions.patches([{ ordinal: 1, fact: factsOf(session, [requested()])[0] as never }])
        await store.tables.apply('sessions', 3, 4, early ? [early] : [])
        expect(await world.row(session)).toMatchObject({ status: 'completed', state: 'completed', seq: 3 })
      })

      it('leave the words of whoever ended the row of a withdrawn session', async () => {
        const session = await ordered(newUser())
        await archive(session, [requested(), started()])
        await project(sessions)
        await world.play.failPush(session)
        await archive(session, [withdrawn(), refundRequested(), issued()], 3)
        await project(sessions)
        expect(await world.row(session)).toMatchObject({
          status: 'failed',
          state: 'refunded',
          errorMessage: 'Failed to queue job',
        })
      })

      it('never reopen a row that the platform ended meanwhile', async () => {
        const session = await ordered(newUser())
        await world.play.failPush(session)
        await archive(session, [requested(), started()])
        await project(sessions)
        expect(await world.row(session)).toMatchObject({ status: 'failed', state: 'processing' })
      })

      it("count the rows that are gone, and bring none back, on the platform's tables", async () => {
        const session = newSession()
        await archive(session, COMPLETED)
        await project(sessions)
        expect(await world.row(session)).toBeNull()
        expect(await store.tables.status()).toMatchObject([{ name: 'sessions', position: 3, setAside: 0, gone: 1 }])
        expect(await store.queries.session(session)).toMatchObject({ state: 'completed', attempts: 1 })
      })

      it.each([newUser(), newStore()])(
        'make the missing rows on tables of our own, marked as ours ($channel)',
        async (owner) => {
          const ours = world.open('ours')
          const [missing, there] = [newSession(), await ordered(owner)]
          await archive(missing, [requested({ owner }), started()])
          await archive(there, [requested({ owner }), started()])
          await project(sessions, ours)
          expect(await world.row(missing)).toMatchObject({ state: 'processing', origin: 'worker' })
          expect((await world.row(there))?.origin).not.toBe('worker')
        },
      )

      it('set aside what the database refuses, with what follows of its session, and go on', async () => {
        const [bad, good] = [await ordered(), await ordered()]
        const result = { ...samples.result, durationMs: 3_000_000_000 }
        await store.archive.append(LOG, [
          chain.step(
            ...factsOf(bad, [requested(), started(), { type: 'generation.completed', data: { attempt: 1, result } }]),
            ...factsOf(good, COMPLETED),
          ),
        ])
        await project(sessions, store, 3)
        expect(await world.row(good)).toMatchObject({ state: 'completed' })
        expect(await store.tables.status()).toMatchObject([{ name: 'sessions', position: 6, setAside: 1 }])
        const [later] = sessions.patches([{ ordinal: 7, fact: factsOf(bad, [started(2)], 4)[0] as never }])
        await store.tables.apply('sessions', 6, 7, later ? [later] : [])
        expect(await store.tables.status()).toMatchObject([{ position: 7, setAside: 2 }])
        expect(await store.tables.retrySetAside('sessions')).toBe(1)
      })
    })

    describe('rebuild', () => {
      const run = (projection: Projection, on = store) => rebuild(projection, on)

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
        await world.damage(session)
        expect(await run(sessions)).toMatchObject({
          drifted: 1,
          columns: { attempts: { count: 1, samples: [{ sessionId: session, was: 99, now: 1 }] } },
        })
        expect(await store.queries.session(session)).toMatchObject({ attempts: 1 })
        expect(await run(sessions)).toMatchObject({ drifted: 0 })
      })

      it('makes missing rows anew on tables of our own, but none of a user who was deleted', async () => {
        const ours = world.open('ours')
        const [here, gone] = [newUser(), newUser()]
        const [lost, deleted] = [newSession(), newSession()]
        await archive(lost, [requested({ owner: here }), started()])
        await archive(deleted, [requested({ owner: gone }), started()])
        await project(sessions, ours)
        await world.dropRow(lost)
        if (gone.channel === 'b2c') await world.play.remove(gone.userId)
        expect(await run(sessions, ours)).toMatchObject({ drifted: 1, columns: { row: { count: 1 } } })
        expect(await world.row(lost)).toMatchObject({ state: 'processing', origin: 'worker', seq: 2 })
        expect(await world.row(deleted)).toBeNull()
      })

      it('takes an expired image for no drift', async () => {
        const session = await ordered(newUser())
        await archive(session, COMPLETED)
        await project(sessions)
        await world.age(session, 7 * 3_600_000)
        await world.play.midnight()
        expect(await run(sessions)).toMatchObject({ drifted: 0 })
        expect(await world.row(session)).toMatchObject({ imageUrl: 'expired' })
      })

      it('catches up with a projection that goes on meanwhile', async () => {
        const done = await ordered()
        await archive(done, COMPLETED)
        await project(sessions)
        const late = await ordered()
        const { tables } = store
        let grown = false
        const rebuilds = {
          ...store.rebuilds,
          switchOver: async (of: string) => {
            if (!grown) {
              grown = true
              await archive(late, COMPLETED)
              await project(sessions)
            }
            return store.rebuilds.switchOver(of)
          },
        }
        expect(await rebuild(sessions, { archive: store.archive, tables, rebuilds })).toMatchObject({
          position: 6,
          rows: 2,
          drifted: 0,
        })
        expect(await store.tables.status()).toMatchObject([{ name: 'sessions', position: 6 }])
      })
    })

    describe('queries', () => {
      it('answer from the facts while there is no row, and nothing for a session nobody knows', async () => {
        const session = newSession()
        const owner = newUser()
        expect(await store.queries.session(session)).toBeNull()
        await archive(session, [requested({ owner }), started(), failed('moderation_blocked')])
        expect(await store.queries.session(session)).toMatchObject({
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
          await world.age(session, (5 - count) * 1_000)
          await archive(session, count === 4 ? [requested({ owner })] : COMPLETED)
          all.unshift(session)
        }
        const elsewhere = await ordered()
        await archive(elsewhere, COMPLETED)
        await project(sessions)
        const tenant = tenantOf(owner)
        const first = await store.queries.sessions({ tenant, limit: 2 })
        const second = await store.queries.sessions({ tenant, limit: 2, cursor: first.next ?? '' })
        const third = await store.queries.sessions({ tenant, limit: 2, cursor: second.next ?? '' })
        const listed = [first, second, third].flatMap(({ items }) => items.map(({ sessionId }) => sessionId))
        expect(listed).toEqual(all)
        expect(third.next).toBeNull()
        expect((await store.queries.sessions({ state: 'queued', limit: 9 })).items).toMatchObject([
          { sessionId: all[0], tenant },
        ])
        expect((await store.queries.sessions({ limit: 9 })).items).toHaveLength(6)
        expect(await store.queries.backlog(tenant)).toBe(1)
        await store.queries.ping()
      })

      it('list refunds by state, page by page', async () => {
        for (const end of [[issued()], [waived('overage')], []]) {
          await archive(newSession(), [requested(), failed('expired', 0), refundRequested(), ...end])
        }
        await archive(newSession(), COMPLETED)
        await project(refunds)
        const first = await store.queries.refunds({ limit: 2 })
        const second = await store.queries.refunds({ limit: 2, cursor: first.next ?? '' })
        expect(first.items.length + second.items.length).toBe(3)
        expect((await store.queries.refunds({ state: 'waived', limit: 9 })).items).toMatchObject([
          { state: 'waived', waiverReason: 'overage', channel: 'b2b' },
        ])
      })
    })

    describe('reconciliation', () => {
      it('balances when every charge is kept, given back, owed or still at work', async () => {
        await store.history.admit({ log: LOG, partition: 0, epoch: grant(1) })
        for (const owner of [newUser(), newStore()]) {
          const [done, lost, owed, open] = [
            await ordered(owner),
            await ordered(owner),
            await ordered(owner),
            await ordered(owner),
          ]
          await archive(done, [requested({ owner }), started(), completed()])
          const outcome = await store.platform.refund(lost, { partition: 0, epoch: 1 })
          if (outcome.kind !== 'issued') throw new Error(outcome.kind)
          const refund: NewFact = { type: 'refund.issued', data: outcome.data }
          await archive(lost, [requested({ owner }), failed('expired', 0), refundRequested(), refund])
          await archive(owed, [requested({ owner }), failed('expired', 0), refundRequested()])
          await archive(open, [requested({ owner })])
        }
        for (const projection of [sessions, refunds]) await project(projection)
        const sums = { charged: 8, kept: 2, givenBack: 2, owed: 2, open: 2 }
        const classes = { matched: 4, overdue: 2, open: 2 }
        expect(await store.queries.reconciliation()).toMatchObject({ ...sums, classes, balanced: true, position: 22 })
      })

      it('names a refund of a completed session, a double one, and one that nobody knows', async () => {
        await store.history.admit({ log: LOG, partition: 0, epoch: grant(1) })
        const [unexpected, double] = [await ordered(newUser()), await ordered(newUser())]
        await archive(unexpected, COMPLETED)
        await store.platform.refund(double, { partition: 0, epoch: 1 })
        await archive(double, REFUNDED)
        for (const session of [unexpected, double, await ordered(newUser())]) await world.age(session, 11 * 60_000)
        await project(refunds)
        // The refund failed its row, and the user sets it back: now the nightly job gives all three back.
        await world.play.edit(double, 'queued')
        await world.play.midnight()
        const { classes, balanced } = await store.queries.reconciliation()
        expect(classes).toEqual({ unexpected: 1, duplicate: 1 })
        expect(balanced).toBe(false)
      })
    })

    describe('acceptances', () => {
      const reservation = (sessionId = newSession(), key: string | null = null, fingerprint = 'f1'): Reservation => ({
        sessionId,
        tenant: 'user:1',
        key,
        fingerprint,
        answer: { session: sessionId },
      })
      const reserve = (of: Reservation, by = store) => by.acceptances.reserve(of)

      it('gives the same session its first answer again, and says whether it was published', async () => {
        const first = reservation()
        expect(await reserve(first)).toEqual({ outcome: 'first' })
        const again = { ...first, fingerprint: 'f2', answer: {} }
        expect(await reserve(again)).toEqual({ outcome: 'again', answer: first.answer, published: false })
        expect(await store.acceptances.find(first.sessionId)).toBeNull()
        await store.acceptances.published(first.sessionId)
        expect(await reserve(again)).toEqual({ outcome: 'again', answer: first.answer, published: true })
        expect(await store.acceptances.find(first.sessionId)).toEqual(first.answer)
        expect(await store.acceptances.find(newSession())).toBeNull()
      })

      it('refuses a key with another body, for its own tenant only', async () => {
        const first = reservation(newSession(), 'key')
        await reserve(first)
        expect(await reserve(reservation(newSession(), 'key', 'f2'))).toEqual({ outcome: 'key_reused' })
        expect(await reserve({ ...reservation(newSession(), 'key', 'f2'), tenant: 'user:2' })).toEqual({
          outcome: 'first',
        })
        expect(await reserve({ ...first })).toMatchObject({ outcome: 'again', answer: first.answer })
      })

      it('lets exactly one of several reserve', async () => {
        const same = reservation(newSession(), 'key')
        const processes = Array.from({ length: 5 }, () => world.open())
        const outcomes = await Promise.all(processes.map((by) => reserve(same, by)))
        expect(outcomes.filter(({ outcome }) => outcome === 'first')).toHaveLength(1)
        expect(outcomes.filter(({ outcome }) => outcome === 'again')).toHaveLength(4)
      })

      it('forgets what is old', async () => {
        await reserve(reservation())
        expect(await store.acceptances.prune(new Date(Date.now() - 60_000).toISOString())).toBe(0)
        expect(await store.acceptances.prune(new Date(Date.now() + 60_000).toISOString())).toBe(1)
      })
    })
  })
}
