import { describe, expect, it } from 'vitest'
import type { Store } from '../../src/projections/store.ts'
import { newSession } from '../support/store-world.ts'
import { type StoreBench } from './store-bench.ts'

type Reservation = Parameters<Store['acceptances']['reserve']>[0]

/** The promises of the first answer to a publication. */
export const acceptanceLaws = (bench: StoreBench): void => {
  describe('acceptances', () => {
    const reservation = (sessionId = newSession(), key: string | null = null, fingerprint = 'f1'): Reservation => ({
      sessionId,
      tenant: 'user:1',
      key,
      fingerprint,
      answer: { session: sessionId },
    })
    const reserve = (of: Reservation, by = bench.store) => by.acceptances.reserve(of)

    it('gives the same session its first answer again, and says whether it was published', async () => {
      const first = reservation()
      expect(await reserve(first)).toEqual({ outcome: 'first' })
      const again = { ...first, fingerprint: 'f2', answer: {} }
      expect(await reserve(again)).toEqual({ outcome: 'again', answer: first.answer, published: false })
      expect(await bench.store.acceptances.find(first.sessionId)).toBeNull()
      await bench.store.acceptances.published(first.sessionId)
      expect(await reserve(again)).toEqual({ outcome: 'again', answer: first.answer, published: true })
      expect(await bench.store.acceptances.find(first.sessionId)).toEqual(first.answer)
      expect(await bench.store.acceptances.find(newSession())).toBeNull()
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
      const processes = Array.from({ length: 5 }, () => bench.world.open())
      const outcomes = await Promise.all(processes.map((by) => reserve(same, by)))
      expect(outcomes.filter(({ outcome }) => outcome === 'first')).toHaveLength(1)
      expect(outcomes.filter(({ outcome }) => outcome === 'again')).toHaveLength(4)
    })

    it('forgets what is old', async () => {
      await reserve(reservation())
      expect(await bench.store.acceptances.prune(new Date(Date.now() - 60_000).toISOString())).toBe(0)
      expect(await bench.store.acceptances.prune(new Date(Date.now() + 60_000).toISOString())).toBe(1)
    })
  })
}
