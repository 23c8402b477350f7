import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { EventLog, PartitionLease, Step } from '../../src/machines/ports/event-log.ts'
import { commitOf, nextStep, sessionId, tombstone } from '../support/log-samples.ts'
import { startWorker } from '../support/log-worker.ts'
import { type LogWorld, SHAPE } from './event-log.ts'

/** Somebody who follows the journals with nothing but the log's own client, as docs/events.md tells. */
export interface OutsideReader {
  register(): Promise<void>
  /** Has the step of this number behind it. */
  report(partition: number, number: number): Promise<void>
}

export interface ReadersWorld extends LogWorld {
  reader(name: string): OutsideReader
}

const T0 = Date.UTC(2026, 5, 1)
const DAY = 86_400_000

/** What a log promises to those who follow its journals. Every adapter keeps all of it. */
export const journalReadersContract = (
  name: string,
  openWorld: (shape: typeof SHAPE) => Promise<ReadersWorld>,
): void => {
  describe(`${name}: a registered reader of journals`, () => {
    let world: ReadersWorld
    let log: EventLog
    let lease: PartitionLease
    let other: PartitionLease

    const append = async (to: PartitionLease, steps: number): Promise<Step[]> => {
      const made: Step[] = []
      for (let nth = 0; nth < steps; nth++) {
        const step = nextStep(to, made.at(-1) ?? null, 1, T0 + nth * DAY)
        await to.commit(commitOf({ step }))
        made.push(step)
      }
      return made
    }
    const kept = async (partition = 0) =>
      (await log.journal(new Map([[partition, 0]]), 1_000)).map(({ number }) => number)
    const registered = async (reader: string) => {
      const outside = world.reader(reader)
      await outside.register()
      return outside
    }

    beforeEach(async () => {
      world = await openWorld(SHAPE)
      log = (await world.open()).log
      const worker = startWorker(log)
      lease = await world.eventually(() => worker.lease(0))
      other = await world.eventually(() => worker.lease(1))
    })
    afterEach(() => world.close())

    it('keeps what it has not read from being trimmed, and no more than that', async () => {
      await append(lease, 5)
      const reader = await registered('billing')
      await reader.report(0, 3)
      await lease.trim(5)
      expect(await kept()).toEqual([4, 5])
      await reader.report(0, 5)
      await lease.trim(4)
      expect(await kept()).toEqual([5])
    })

    it('keeps everything before it has reported anything', async () => {
      await append(lease, 3)
      await registered('billing')
      await lease.trim(3)
      expect(await kept()).toEqual([1, 2, 3])
    })

    it('holds what the slowest of several needs, in each partition apart', async () => {
      await append(lease, 5)
      await append(other, 5)
      const [billing, search] = [await registered('billing'), await registered('search')]
      await billing.report(0, 4)
      await search.report(0, 2)
      await billing.report(1, 1)
      await search.report(1, 5)
      await lease.trim(5)
      await other.trim(5)
      expect(await kept(0)).toEqual([3, 4, 5])
      expect(await kept(1)).toEqual([2, 3, 4, 5])
    })

    it('keeps the end of sessions known that closed in steps which it holds', async () => {
      const ids = Array.from({ length: SHAPE.tombstonesMax + 3 }, sessionId)
      let head: Step | null = null
      for (const [nth, id] of ids.entries()) {
        head = nextStep(lease, head, 1, T0 + nth * DAY)
        await lease.commit(commitOf({ step: head, tombstones: [tombstone(id)] }))
      }
      const reader = await registered('billing')
      await reader.report(0, 1)
      await lease.trim(ids.length)
      expect([...(await lease.load(ids)).keys()].toSorted()).toEqual(ids.slice(1).toSorted())
      expect(lease.forgottenUntil()).toBe(T0)
    })

    it('is listed by name with how far it is behind, and since when', async () => {
      expect(await log.readers.list()).toEqual([])
      await append(lease, 3)
      await append(other, 3)
      const [search, billing] = [await registered('search'), await registered('billing')]
      for (const partition of [0, 1]) await billing.report(partition, 3)
      await search.report(0, 3)
      await search.report(1, 1)
      const [first, second] = await log.readers.list()
      expect(first).toEqual({ name: 'billing', behind: 0, waitsSince: null })
      expect(second).toEqual({ name: 'search', behind: 2, waitsSince: new Date(T0 + DAY).toISOString() })
    })

    it('holds nothing any more once it was removed', async () => {
      await append(lease, 3)
      await registered('billing')
      const search = await registered('search')
      await search.report(0, 1)
      expect(await log.readers.remove('billing')).toBe(true)
      expect(await log.readers.remove('billing')).toBe(false)
      await lease.trim(3)
      expect(await kept()).toEqual([2, 3])
      expect((await log.readers.list()).map((reader) => reader.name)).toEqual(['search'])
    })

    it('holds nothing back that the archive does not have', async () => {
      await append(lease, 3)
      const reader = await registered('billing')
      await reader.report(0, 3)
      await lease.trim(1)
      expect(await kept()).toEqual([2, 3])
    })
  })
}
