import fc from 'fast-check'
import { describe, expect, it, vi } from 'vitest'
import { openMemoryStore } from '../../../src/adapters/memory/store.ts'
import { emptyStoreState } from '../../../src/adapters/memory/store-state.ts'
import { withFreshFacts } from '../../../src/projections/fresh-facts.ts'
import { virtualClock } from '../../support/clock.ts'
import { completed, requested, started } from '../../support/facts.ts'
import { Chain, factsOf, LOG, newSession } from '../../support/store-world.ts'

const COMPLETED = [requested(), started(), completed()]
const FACTS_MAX = 10

const archives = () => {
  const { archive } = openMemoryStore(emptyStoreState(), { clock: virtualClock(), rowsOwner: 'platform' })
  const read = vi.spyOn(archive, 'read')
  return { archive, fresh: withFreshFacts(archive, FACTS_MAX), read, chain: new Chain(0), other: new Chain(1) }
}

describe('an archive that has its newest facts at hand', () => {
  it('answers them without asking the database', async () => {
    const { fresh, read, chain } = archives()
    const facts = factsOf(newSession(), COMPLETED)
    await fresh.append(LOG, [chain.step(...facts.slice(0, 2)), chain.step(...facts.slice(2))])
    expect((await fresh.read(0, 2)).map(({ fact }) => fact)).toEqual(facts.slice(0, 2))
    expect(await fresh.read(2, 2)).toEqual([{ ordinal: 3, fact: facts[2] }])
    expect(read).not.toHaveBeenCalled()
    expect(await fresh.read(3, 2)).toEqual([])
    expect(read).toHaveBeenCalledOnce()
  })

  it('reads what the database reads, or the first of it, whoever appends in between, however far behind the reader is', async () => {
    const move = fc.record({
      by: fc.constantFrom('us', 'others'),
      facts: fc.integer({ min: 0, max: 3 }),
      after: fc.nat(60),
      limit: fc.integer({ min: 1, max: 12 }),
    })
    await fc.assert(
      fc.asyncProperty(fc.array(move, { maxLength: 40 }), async (moves) => {
        const { archive, fresh, chain, other } = archives()
        for (const { by, facts, after, limit } of moves) {
          const step = (by === 'us' ? chain : other).step(...factsOf(newSession(), COMPLETED.slice(0, facts)))
          await (by === 'us' ? fresh : archive).append(LOG, [step])
          const [near, all] = [await fresh.read(after, limit), await archive.read(after, limit)]
          expect(near).toEqual(all.slice(0, near.length))
          expect(near.length === 0).toBe(all.length === 0)
        }
      }),
    )
  })
})
