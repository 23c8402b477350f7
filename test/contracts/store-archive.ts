import { describe, expect, it } from 'vitest'
import { ArchiveRefused } from '../../src/projections/store.ts'
import { eventually } from '../support/eventually.ts'
import { requested, started } from '../support/facts.ts'
import { Chain, factsOf, LOG, newSession } from '../support/store-world.ts'
import { COMPLETED, type StoreBench } from './store-bench.ts'

/** The promises of the archive of every fact. */
export const archiveLaws = (bench: StoreBench): void => {
  describe('archive', () => {
    const { archive } = bench

    it('gives every fact an ordinal without a gap, in the order of its steps', async () => {
      const [one, other] = [newSession(), newSession()]
      const elsewhere = new Chain(1)
      const steps = [
        bench.chain.step(...factsOf(one, [requested()])),
        elsewhere.step(...factsOf(other, COMPLETED)),
        bench.chain.step(...factsOf(one, [started()], 2)),
        bench.chain.step(),
      ]
      expect(await bench.store.archive.append(LOG, steps)).toBe(5)
      const facts = await bench.store.archive.read(0, 100)
      expect(facts.map(({ ordinal }) => ordinal)).toEqual([1, 2, 3, 4, 5])
      expect(facts.map(({ fact }) => fact)).toEqual(steps.flatMap((step) => step.facts))
      expect(await bench.store.archive.read(1, 2)).toEqual(facts.slice(1, 3))
      expect(await bench.store.archive.head()).toBe(5)
      expect(await bench.store.archive.session(other)).toEqual(factsOf(other, COMPLETED))
      expect(await bench.store.archive.heads()).toEqual(
        new Map([
          [0, { log: LOG, ...bench.chain.head }],
          [1, { log: LOG, ...elsewhere.head }],
        ]),
      )
    })

    it('refuses steps that do not follow, all of the call', async () => {
      const first = bench.chain.step(...factsOf(newSession(), COMPLETED))
      const second = bench.chain.step(...factsOf(newSession(), COMPLETED))
      expect(await bench.store.archive.append(LOG, [second])).toBe('moved')
      expect(await bench.store.archive.append(LOG, [first])).toBe(3)
      expect(await bench.store.archive.append(LOG, [first])).toBe('moved')
      const stranger = { ...second, previous: 'another step' }
      expect(await bench.store.archive.append(LOG, [new Chain(1).step(), stranger])).toBe('moved')
      expect(await bench.store.archive.append('another log', [second])).toBe('moved')
      expect(await bench.store.archive.head()).toBe(3)
      expect((await bench.store.archive.heads()).size).toBe(1)
    })

    it('refuses a fact that it has already, and nothing of the call is kept', async () => {
      const session = newSession()
      await archive(session, COMPLETED)
      const head = bench.chain.head
      await expect(archive(session, COMPLETED)).rejects.toThrow(ArchiveRefused)
      expect(await bench.store.archive.head()).toBe(3)
      expect((await bench.store.archive.heads()).get(0)).toEqual({ log: LOG, ...head })
    })

    it('lets exactly one of several writers append, and loses nothing', async () => {
      const step = bench.chain.step(...factsOf(newSession(), COMPLETED))
      const writers = [bench.store, bench.world.open(), bench.world.open(), bench.world.open()]
      const outcomes = await Promise.all(writers.map(({ archive: own }) => own.append(LOG, [step])))
      expect(outcomes.filter((outcome) => outcome !== 'moved')).toEqual([3])
      expect(await bench.store.archive.head()).toBe(3)
    })

    it('calls back when it has grown', async () => {
      let calls = 0
      bench.world.open().archive.onGrowth(() => calls++)
      // What is sent before the other process listens is lost: send until something arrives.
      await eventually(async () => {
        await archive(newSession(), COMPLETED)
        expect(calls).toBeGreaterThan(0)
      })
    })
  })
}
