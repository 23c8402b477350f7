import { describe, expect, it } from 'vitest'
import { isoTime } from '../../src/events/text.ts'
import type { Burial, DeadLetter, LetterMark, LetterQuery } from '../../src/machines/ports/dead-letters.ts'
import type { EventLog, PartitionLease } from '../../src/machines/ports/event-log.ts'
import { BadCursor } from '../../src/projections/page.ts'
import { burial, commitOf, message } from '../support/log-samples.ts'
import { startWorker } from '../support/log-worker.ts'
import type { LogWorld } from './event-log.ts'

/** What the laws need of a test that has a log open. */
interface LetterWorld {
  readonly world: LogWorld
  readonly log: EventLog
  readonly lease: (partition: number) => Promise<PartitionLease>
  /** Stops the worker that has the leases. */
  readonly stop: () => Promise<void>
}

const PLENTY = { messages: 1_000, bytes: 10_000_000 }
/** The suite's bound for each partition. */
const LETTERS_MAX = 4

const at = (second: number): string => isoTime(Date.UTC(2026, 5, 1, 0, 0, second))

const mark = (state: LetterMark['state'], changes: Partial<LetterMark> = {}): LetterMark => ({
  state,
  by: 'Ada “ops” \\ ü',
  at: at(50),
  reason: null,
  attempts: 1,
  ...changes,
})

/** The promises that an event log makes about letters. They run as part of its own suite. */
export const deadLetterLaws = (given: () => LetterWorld): void => {
  describe('dead letters', () => {
    const list = async (query: Partial<LetterQuery> = {}) =>
      (await given().log.letters.list({ limit: 9, ...query })).items
    const only = async (): Promise<DeadLetter> => {
      const [letter, ...others] = await list()
      if (letter === undefined || others.length > 0) throw new Error(`${others.length + 1} letters instead of one`)
      return letter
    }

    /** Publishes messages and lets them die in one commit, as their owner would. */
    const die = async (
      texts: readonly (string | Uint8Array)[],
      changes: Partial<Burial> = {},
      partition = 0,
    ): Promise<Burial[]> => {
      const { world, log, lease } = given()
      await log.publish(texts.map((text) => message(partition, text)))
      const owned = await lease(partition)
      const taken: Burial[] = []
      await world.eventually(async () => {
        const messages = await owned.take(PLENTY)
        taken.push(...messages.map(({ position, bytes }) => burial(partition, position, bytes, changes)))
        expect(taken).toHaveLength(texts.length)
      })
      await owned.commit(commitOf({ inbox: taken.at(-1)?.position ?? null, deadLetters: taken }))
      return taken
    }

    it('are kept with all that is known of them, and their bytes as they were', async () => {
      const bytes = Uint8Array.from({ length: 256 }, (_, index) => 255 - index)
      const [died] = await die([bytes], { at: at(1), reason: 'not JSON' }, 3)
      const expected: DeadLetter = {
        id: died?.id ?? '',
        partition: 3,
        reason: 'not JSON',
        source: 'list',
        sizeBytes: 256,
        attempts: 1,
        firstSeenAt: at(1),
        lastSeenAt: at(1),
        state: 'waiting',
        replays: 0,
        lastAction: null,
      }
      expect(await list()).toEqual([expected])
      const opened = await given().log.letters.open(expected.id)
      expect({ ...opened, bytes: Uint8Array.from(opened?.bytes ?? []) }).toEqual({ ...expected, bytes })
    })

    it('are seen by every process, and an unknown one by none', async () => {
      const [died] = await die([''])
      const other = (await given().world.open()).log
      expect((await other.letters.open(died?.id ?? ''))?.bytes.byteLength).toBe(0)
      for (const id of [burial(0, '1', 'unknown').id, burial(999_999, '1', 'x').id, 'x', '0-', '-1-abc']) {
        expect(await other.letters.open(id)).toBeNull()
        expect(await other.letters.mark(id, mark('discarded'))).toBeNull()
      }
      expect(await list()).toHaveLength(1)
    })

    it('lose their bytes and their reason for good when they are erased', async () => {
      const [died] = await die(['Anna', 'another'], { at: at(1), reason: 'says Anna' })
      const id = died?.id ?? ''
      expect(await given().log.letters.erase(id)).toBe(true)
      const other = (await given().world.open()).log
      const opened = await other.letters.open(id)
      expect(opened).toMatchObject({
        reason: 'erased',
        sizeBytes: 0,
        state: 'discarded',
        attempts: 1,
        firstSeenAt: at(1),
      })
      expect(opened?.bytes.byteLength).toBe(0)
      expect(await other.letters.counts()).toMatchObject({ waiting: 1, discarded: 1 })
      expect(await list({ state: 'waiting' })).toHaveLength(1)
      expect(await other.letters.erase(burial(0, '1', 'unknown').id)).toBe(false)
    })

    it('are one for the same bytes in a partition, however often they die', async () => {
      await die(['a', 'b', 'a'], { at: at(1), source: 'list' })
      await die(['a'], { at: at(2), reason: 'another reason', source: 'replay' })
      await die(['a'], { at: at(3) }, 1)
      const letters = await list()
      expect(letters.map(({ partition, attempts }) => [partition, attempts])).toEqual(
        expect.arrayContaining([
          [0, 3],
          [0, 1],
          [1, 1],
        ]),
      )
      expect(letters).toHaveLength(3)
      expect(letters.find(({ attempts }) => attempts === 3)).toMatchObject({
        reason: 'another reason',
        source: 'list',
        firstSeenAt: at(1),
        lastSeenAt: at(2),
      })
    })

    it('count a death once when its commit is repeated', async () => {
      const died = await die(['a', 'a', 'b'])
      const owned = await given().lease(0)
      await owned.commit(commitOf({ inbox: died.at(-1)?.position ?? null, deadLetters: died }))
      expect(new Set((await list()).map(({ attempts }) => attempts))).toEqual(new Set([1, 2]))
    })

    it('count a death once when the answer of its commit was lost', async () => {
      const { world, log, stop } = given()
      await stop()
      const process = await world.open()
      const worker = startWorker(process.log)
      const owned = await world.eventually(() => worker.lease(0))
      await log.publish([message(0, 'a')])
      const [taken] = await world.eventually(async () => {
        const messages = await owned.take(PLENTY)
        expect(messages).toHaveLength(1)
        return messages
      })
      process.loseAnswerOfCommit()
      const died = burial(0, taken?.position ?? '', 'a')
      let done = false
      void owned.commit(commitOf({ inbox: died.position, deadLetters: [died] })).then(() => {
        done = true
      })
      await world.eventually(() => expect(done).toBe(true))
      expect(await only()).toMatchObject({ attempts: 1 })
      await worker.stop()
    })

    it('may have any reason', async () => {
      await die(['a'], { reason: 'NUL \0, half a pair \ud800, / and \\ and "quotes" ü' })
      expect((await only()).reason).toContain(', / and \\ and "quotes" ü')
      await die(['a'])
      expect(await only()).toMatchObject({ attempts: 2, reason: 'not UTF-8' })
    })

    it('are listed in pages, the one that died first last, each once', async () => {
      for (const partition of [0, 1, 2]) await die(['a', 'b'], { at: at(partition === 2 ? 0 : partition) }, partition)
      const pages: DeadLetter[][] = []
      for (let cursor: string | null | undefined; cursor !== null; ) {
        const page = await given().log.letters.list({ limit: 2, ...(cursor !== undefined && { cursor }) })
        pages.push([...page.items])
        cursor = page.next
        // A death in the middle moves nothing that was handed out.
        if (pages.length === 1) await die(['a'], { at: at(40) }, 2)
      }
      expect(pages.map(({ length }) => length)).toEqual([2, 2, 2])
      const listed = pages.flat()
      expect(listed.map(({ firstSeenAt }) => firstSeenAt)).toEqual([at(1), at(1), at(0), at(0), at(0), at(0)])
      expect(new Set(listed.map(({ id }) => id)).size).toBe(6)
      const sameTime = listed.slice(2).map(({ id }) => id)
      expect(sameTime).toEqual(sameTime.toSorted().toReversed())
      await expect(given().log.letters.list({ limit: 2, cursor: 'x' })).rejects.toThrow(BadCursor)
    })

    it('are listed by their state', async () => {
      const [a, b] = await die(['a', 'b', 'c'])
      await given().log.letters.mark(a?.id ?? '', mark('replayed'))
      await given().log.letters.mark(b?.id ?? '', mark('discarded', { reason: 'ours' }))
      expect((await list({ state: 'replayed' })).map(({ id }) => id)).toEqual([a?.id])
      expect((await list({ state: 'discarded' })).map(({ id }) => id)).toEqual([b?.id])
      expect(await list({ state: 'waiting' })).toHaveLength(1)
      expect(await list()).toHaveLength(3)
      expect(await given().log.letters.counts()).toEqual({ waiting: 1, replayed: 1, discarded: 1, dropped: 0 })
    })

    it('remember what an operator did last, and how often they were replayed', async () => {
      const [a] = await die(['a'])
      const { letters } = given().log
      const once = await letters.mark(a?.id ?? '', mark('replayed'))
      const { by } = mark('replayed')
      expect(once).toMatchObject({ state: 'replayed', replays: 1, lastAction: { by, at: at(50), reason: null } })
      expect(once).toEqual(await only())
      const then = await letters.mark(a?.id ?? '', mark('discarded', { reason: 'a "bad" one', at: at(51) }))
      expect(then).toMatchObject({ state: 'discarded', replays: 1, lastAction: { reason: 'a "bad" one', at: at(51) } })
      expect(Buffer.from((await letters.open(a?.id ?? ''))?.bytes ?? []).toString()).toBe('a')
    })

    it('wait again after they died again, with what was done to them', async () => {
      const [a] = await die(['a'], { at: at(1) })
      await given().log.letters.mark(a?.id ?? '', mark('replayed'))
      await die(['a'], { at: at(52), source: 'replay', reason: 'still not UTF-8' })
      expect(await only()).toMatchObject({
        state: 'waiting',
        attempts: 2,
        replays: 1,
        reason: 'still not UTF-8',
        firstSeenAt: at(1),
        lastSeenAt: at(52),
        lastAction: { at: at(50) },
      })
      expect(await list({ state: 'replayed' })).toEqual([])
    })

    it('go on waiting when they died after the operator looked, and before the mark', async () => {
      const [a] = await die(['a'])
      await die(['a'])
      const after = await given().log.letters.mark(a?.id ?? '', mark('replayed', { attempts: 1 }))
      expect(after).toMatchObject({ state: 'waiting', attempts: 2, replays: 1 })
      expect(await only()).toMatchObject({ state: 'waiting', lastAction: { at: at(50) } })
    })

    it('make room beyond the bound of their partition: settled ones first, then the oldest', async () => {
      await die(['elsewhere'], { at: at(0) }, 1)
      const died: Burial[] = []
      for (let second = 1; second <= LETTERS_MAX; second++) died.push(...(await die([`${second}`], { at: at(second) })))
      await given().log.letters.mark(died[2]?.id ?? '', mark('discarded', { reason: 'ours' }))
      const texts = async () => {
        const opened = await Promise.all((await list()).map(({ id }) => given().log.letters.open(id)))
        return opened.map((letter) => Buffer.from(letter?.bytes ?? []).toString())
      }
      await die(['5'], { at: at(5) })
      expect(await texts()).toEqual(['5', '4', '2', '1', 'elsewhere'])
      await die(['6', '7'], { at: at(6) })
      expect((await texts()).toSorted()).toEqual(['4', '5', '6', '7', 'elsewhere'])
      expect(await given().log.letters.counts()).toEqual({ waiting: 5, replayed: 0, discarded: 0, dropped: 3 })
    })
  })
}
