import { describe, expect, it } from 'vitest'
import type { SessionId } from '../../src/events/ids.ts'
import type { Step } from '../../src/machines/ports/event-log.ts'
import { requested, started } from '../support/facts.ts'
import { Chain, factsOf, LOG, newSession } from '../support/store-world.ts'
import { COMPLETED, grant, REFUNDED, type StoreBench } from './store-bench.ts'

/** The promises of what a new owner asks, and of a repair. */
export const historyLaws = (bench: StoreBench): void => {
  describe('history', () => {
    const { archive } = bench

    it('admits a later epoch or the same grant, and no earlier one', async () => {
      const admit = (number: number, token = `token-${number}`, log = LOG) =>
        bench.store.history.admit({ log, partition: 0, epoch: { number, token }, head: 0 })
      expect(await admit(5)).toEqual({ admitted: true, archived: null })
      await archive(newSession(), COMPLETED)
      expect(await admit(5)).toEqual({ admitted: true, archived: bench.chain.head })
      expect(await admit(5, 'another')).toMatchObject({ admitted: false, reason: 'epoch_went_back' })
      expect(await admit(4)).toMatchObject({ admitted: false, reason: 'epoch_went_back', archived: bench.chain.head })
      expect(await admit(6, 'later', 'another log')).toMatchObject({ admitted: false, reason: 'log_replaced' })
      expect(await admit(6)).toMatchObject({ admitted: true })
    })

    it('knows its sessions and steps', async () => {
      const session = newSession()
      await archive(session, COMPLETED)
      const step = bench.chain.head
      await archive(newSession(), COMPLETED)
      expect(await bench.store.history.knows([session, newSession()])).toEqual(new Set([session]))
      expect(await bench.store.history.step(0, 1)).toEqual(step)
      expect(await bench.store.history.step(0, 3)).toBeNull()
      expect(await bench.store.history.step(1, 1)).toBeNull()
    })

    it('tells the sessions behind a step with all their facts', async () => {
      const [early, both, late] = [newSession(), newSession(), newSession()]
      await bench.store.archive.append(LOG, [
        bench.chain.step(...factsOf(early, COMPLETED), ...factsOf(both, [requested()])),
      ])
      await bench.store.archive.append(LOG, [
        bench.chain.step(...factsOf(both, [started()], 2), ...factsOf(late, [requested()])),
      ])
      const all = { after: null, limit: 10 }
      expect(await bench.store.history.sessionsAfter(0, 1, all)).toEqual(
        new Map([
          [both, factsOf(both, [requested(), started()])],
          [late, factsOf(late, [requested()])],
        ]),
      )
      expect((await bench.store.history.sessionsAfter(0, 2, all)).size).toBe(0)
      expect((await bench.store.history.sessionsAfter(1, 0, all)).size).toBe(0)
    })

    it('tells them in pages by their ids, each session once', async () => {
      const sessions = Array.from({ length: 7 }, newSession)
      for (const session of sessions) await archive(session, COMPLETED)
      const told: SessionId[] = []
      const sizes: number[] = []
      for (let after: SessionId | null = null; sizes.at(-1) !== 0; after = told.at(-1) ?? null) {
        const page = await bench.store.history.sessionsAfter(0, 0, { after, limit: 3 })
        for (const [id, facts] of page) expect(facts).toEqual(factsOf(id, COMPLETED))
        told.push(...page.keys())
        sizes.push(page.size)
      }
      expect(sizes).toEqual([3, 3, 1, 0])
      expect(told).toEqual(sessions.toSorted())
    })

    it('ends a repair: takes what is new, continues at the new head, and repeats harmlessly', async () => {
      const [kept, lost, grown] = [newSession(), newSession(), newSession()]
      await archive(kept, COMPLETED)
      const common = bench.chain.head
      await archive(lost, REFUNDED)
      await archive(newSession(), COMPLETED)
      const archived = bench.chain.head
      const other = new Chain(0, common)
      const steps = [other.step(...factsOf(grown, [requested()])), other.step(...factsOf(lost, REFUNDED))]
      const claim = { log: 'log-2', partition: 0, epoch: grant(3) }
      const head = other.head ?? { number: 0, id: '' }
      for (let repeat = 0; repeat < 2; repeat++) {
        expect(await bench.store.history.mend(claim, { archived, steps, head })).toBe('mended')
        expect(await bench.store.archive.head()).toBe(12)
        expect((await bench.store.archive.heads()).get(0)).toEqual({ log: 'log-2', ...head })
      }
      expect(await bench.store.history.step(0, 2)).toEqual({ number: 2, id: steps[0]?.id })
      expect(await bench.store.archive.session(grown)).toEqual(factsOf(grown, [requested()]))
      expect((await bench.store.history.sessionsAfter(0, head.number, { after: null, limit: 10 })).size).toBe(0)
      expect(await bench.store.history.admit({ ...claim, epoch: grant(4), head: head.number })).toEqual({
        admitted: true,
        archived: head,
      })
      expect(await bench.store.archive.append('log-2', [other.step()])).toBe(await bench.store.archive.head())
    })

    it('does nothing for a repair that another one overtook, however late its call comes', async () => {
      await archive(newSession(), COMPLETED)
      const archived = bench.chain.head
      const late = { archived, steps: [], head: { number: 7, id: 'late' } }
      const other = { archived, steps: [], head: { number: 8, id: 'other' } }
      const claim = (epoch: number) => ({ log: LOG, partition: 0, epoch: grant(epoch) })
      expect(await bench.store.history.mend(claim(2), other)).toBe('mended')
      const goesOn = new Chain(0, other.head).step(...factsOf(newSession(), [requested()]))
      await bench.store.archive.append(LOG, [goesOn])
      expect(await bench.store.history.mend(claim(1), late)).toBe('moved')
      expect(await bench.store.history.mend(claim(2), other)).toBe('moved')
      expect((await bench.store.archive.heads()).get(0)).toEqual({ log: LOG, number: 9, id: goesOn.id })
    })

    it('takes no step of an earlier epoch behind what a later one was granted: the log has lost it', async () => {
      const admit = (epoch: number, head: number) =>
        bench.store.history.admit({ log: LOG, partition: 0, epoch: grant(epoch), head })
      const step = (chain: Chain, epoch: number) => ({ ...chain.step(...factsOf(newSession(), [requested()])), epoch })
      const append = (...steps: readonly Step[]) => bench.store.archive.append(LOG, steps)
      await admit(1, 0)
      const first = step(bench.chain, 1)
      await append(first)
      const [before, lost] = [new Chain(0, first), new Chain(0, first)]
      const second = step(before, 1)
      // Granted behind the second step, which the archive has not got yet: it is taken all the same.
      await admit(2, 2)
      expect(await append(second, { ...step(before, 1) })).toBe('moved')
      expect(await append(second)).toBe(2)
      expect(await append(step(new Chain(0, second), 1))).toBe('moved')
      expect(await append(step(new Chain(0, second), 2))).toBe(3)
      expect(await append(step(lost, 1))).toBe('moved')
    })
  })
}
