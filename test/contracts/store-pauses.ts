import { randomUUID } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import type { Pause } from '../../src/machines/ports/pauses.ts'
import type { StoreBench } from './store-bench.ts'

const at = (second: number): string => new Date(Date.UTC(2026, 0, 15, 10, 0, second)).toISOString()

/** The promises of the pauses. */
export const pauseLaws = (bench: StoreBench): void => {
  describe('pauses', () => {
    const pauseOf = (changes: Partial<Pause> = {}): Pause => ({
      scope: `store:${randomUUID()}`,
      by: 'ada',
      why: 'the shop asked for it',
      since: at(0),
      ...changes,
    })

    it('stand for every process, the oldest first, until they are ended', async () => {
      expect(await bench.store.pauses.list()).toEqual([])
      const [later, earlier] = [pauseOf({ since: at(9) }), pauseOf({ scope: 'all' })]
      expect(await bench.store.pauses.pause(later)).toEqual(later)
      expect(await bench.store.pauses.pause(earlier)).toEqual(earlier)
      const { pauses } = bench.world.open()
      expect(await pauses.list()).toEqual([earlier, later])
      expect(await pauses.resume('all')).toEqual(earlier)
      expect(await bench.store.pauses.list()).toEqual([later])
    })

    it('keep who began them, and when, whoever asks again', async () => {
      const first = pauseOf({ scope: 'list' })
      await bench.store.pauses.pause(first)
      expect(await bench.store.pauses.pause({ ...first, by: 'bob', why: 'me too', since: at(30) })).toEqual(first)
      expect(await bench.store.pauses.list()).toEqual([first])
    })

    it('that do not stand end without an effect', async () => {
      await bench.store.pauses.pause(pauseOf())
      expect(await bench.store.pauses.resume('all')).toBeNull()
      expect(await bench.store.pauses.list()).toHaveLength(1)
    })
  })
}
