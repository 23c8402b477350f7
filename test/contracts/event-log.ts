import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type EventLog, Fenced, type PartitionLease, type StepRef } from '../../src/machines/ports/event-log.ts'
import { burial, commitOf, message, nextStep, sessionId, snapshot, tombstone } from '../support/log-samples.ts'
import { type LogWorker, startWorker } from '../support/log-worker.ts'
import { deadLetterLaws } from './dead-letters.ts'

/** One process that has the log open. */
export interface LogProcess {
  readonly log: EventLog
  /** Stops its clock, as SIGSTOP does: it beats no more, and does not notice. */
  freeze(): void
  /** The next commit is carried out, and its answer does not arrive. */
  loseAnswerOfCommit(): void
}

/** A new log, and what a test does with it. */
export interface LogWorld {
  /** Opens the log as one more process. */
  open(partitions?: number): Promise<LogProcess>
  /** Lets time pass until the check neither throws nor rejects. */
  eventually<Result>(check: () => Result | Promise<Result>): Promise<Result>
  close(): Promise<void>
}

/** What the suite wants of each new log. */
export const SHAPE = { partitions: 6, tombstonesMax: 5, lettersMax: 4 }

const PLENTY = { messages: 1_000, bytes: 10_000_000 }
const everything = new Map(Array.from({ length: SHAPE.partitions }, (_, partition) => [partition, 0]))
const texts = (messages: readonly { bytes: Uint8Array }[]) => messages.map(({ bytes }) => Buffer.from(bytes).toString())

/** The promises of the event log's port. Every adapter keeps all of them. */
export const eventLogContract = (name: string, openWorld: (shape: typeof SHAPE) => Promise<LogWorld>): void => {
  describe(`${name} event log`, () => {
    let world: LogWorld
    let log: EventLog
    let worker: LogWorker

    const lease = (partition = 0, of = worker) => world.eventually(() => of.lease(partition))
    const append = async (to: PartitionLease, head: StepRef | null, facts = 1) => {
      const step = nextStep(to, head, facts)
      await to.commit(commitOf({ step }))
      return step
    }
    const takeSome = (from: PartitionLease) =>
      world.eventually(async () => {
        const messages = await from.take(PLENTY)
        if (messages.length === 0) throw new Error('nothing has arrived')
        return messages
      })
    /** Does it, and waits until the owner has heard of it. */
    const arrival = async (at: PartitionLease, doIt: () => Promise<void>) => {
      let heard = false
      at.onArrival(() => {
        heard = true
      })
      await doIt()
      await world.eventually(() => expect(heard).toBe(true))
    }
    const taskFor = (session: string) => JSON.stringify({ task_id: 'a task', session_id: session })
    const shares = (workers: readonly LogWorker[]) => workers.map(({ leases }) => leases.size)

    beforeEach(async () => {
      world = await openWorld(SHAPE)
      log = (await world.open()).log
      worker = startWorker(log)
    })
    afterEach(() => world.close())

    describe('its identity', () => {
      it('stays the same for every process', async () => {
        const other = (await world.open()).log
        expect(await log.identity()).toMatch(/\S{16,}/)
        expect(await other.identity()).toBe(await log.identity())
      })

      it('includes the number of partitions: another number is refused', async () => {
        await expect(world.open(SHAPE.partitions + 1)).rejects.toThrow(/6 partitions.*7/)
      })
    })

    describe('the inbox', () => {
      it('hands out what was published to its partition, in order', async () => {
        await log.publish([message(0, 'a'), message(1, 'x'), message(0, 'b')])
        await log.publish([message(0, 'c')])
        const owned = await lease(0)
        expect(texts(await takeSome(owned))).toEqual(['a', 'b', 'c'])
        expect(await owned.take(PLENTY)).toEqual([])
        expect(texts(await takeSome(await lease(1)))).toEqual(['x'])
      })

      it('keeps the order of one publisher that does not wait', async () => {
        const numbers = Array.from({ length: 50 }, (_, number) => `${number}`)
        await Promise.all(numbers.map((number) => log.publish([message(0, number)])))
        const owned = await lease(0)
        const seen: string[] = []
        await world.eventually(async () => {
          seen.push(...texts(await owned.take(PLENTY)))
          expect(seen).toEqual(numbers)
        })
      })

      it('hands out no more messages than asked for, and goes on where it stopped', async () => {
        await log.publish(['a', 'b', 'c', 'd'].map((text) => message(0, text)))
        const owned = await lease(0)
        expect(texts(await owned.take({ messages: 3, bytes: 1_000 }))).toEqual(['a', 'b', 'c'])
        expect(texts(await owned.take({ messages: 3, bytes: 1_000 }))).toEqual(['d'])
      })

      it('stops once enough bytes are out, but always hands out one message', async () => {
        await log.publish(['aaaaa', 'bbbbb', 'ccccc'].map((text) => message(0, text)))
        const owned = await lease(0)
        expect(texts(await owned.take({ messages: 9, bytes: 6 }))).toEqual(['aaaaa', 'bbbbb'])
        expect(texts(await owned.take({ messages: 9, bytes: 1 }))).toEqual(['ccccc'])
      })

      it('keeps every byte, also those that are no UTF-8, and the source', async () => {
        const bytes = Uint8Array.from({ length: 256 }, (_, index) => index)
        await log.publish([{ partition: 0, source: 'list', bytes }, message(0, new Uint8Array())])
        const [first, second] = await takeSome(await lease(0))
        expect(first).toMatchObject({ source: 'list' })
        expect(Uint8Array.from(first?.bytes ?? [])).toEqual(bytes)
        expect(second?.bytes.byteLength).toBe(0)
      })

      it('takes large batches and large messages', async () => {
        const large = Buffer.alloc(256 * 1024, 'ä')
        await log.publish([message(1, large), ...Array.from({ length: 2_000 }, (_, n) => message(0, `${n}`))])
        const owned = await lease(0)
        const seen: string[] = []
        await world.eventually(async () => {
          seen.push(...texts(await owned.take({ messages: 300, bytes: 10_000_000 })))
          expect(seen).toHaveLength(2_000)
        })
        expect(seen).toEqual(Array.from({ length: 2_000 }, (_, n) => `${n}`))
        expect(large.equals((await takeSome(await lease(1)))[0]?.bytes ?? Buffer.alloc(0))).toBe(true)
      })

      it('refuses a message for a partition that it does not have, and then keeps none of the batch', async () => {
        await expect(log.publish([message(0, 'a'), message(SHAPE.partitions, 'b')])).rejects.toThrow(RangeError)
        await log.publish([message(0, 'c')])
        expect(texts(await takeSome(await lease(0)))).toEqual(['c'])
      })

      it('calls back when something arrives, also from another process', async () => {
        const owned = await lease(2)
        expect(await owned.take(PLENTY)).toEqual([])
        let calls = 0
        owned.onArrival(() => calls++)
        await (await world.open()).log.publish([message(2, 'a')])
        await world.eventually(() => expect(calls).toBeGreaterThan(0))
        expect(texts(await takeSome(owned))).toEqual(['a'])
      })

      it('hands out a task that arrives alone, once, and what is known of its session by then', async () => {
        const owned = await lease(0)
        const [other, id] = [sessionId(), sessionId()]
        const first = nextStep(owned, null)
        await owned.commit(commitOf({ step: first, snapshots: [snapshot(other)] }))
        for (const [named, kept] of [[id, undefined] as const, [other, snapshot(other)] as const]) {
          await arrival(owned, () => log.publish([message(0, taskFor(named))]))
          expect(texts(await takeSome(owned))).toEqual([taskFor(named)])
          expect((await owned.load([named])).get(named)).toEqual(kept)
          expect(await owned.take(PLENTY)).toEqual([])
        }
      })

      it('knows the session of a task that arrived alone as the last commit left it', async () => {
        const owned = await lease(0)
        const id = sessionId()
        await arrival(owned, () => log.publish([message(0, taskFor(id))]))
        const first = nextStep(owned, null)
        await owned.commit(commitOf({ step: first, snapshots: [snapshot(id)] }))
        const [task] = await takeSome(owned)
        expect((await owned.load([id])).get(id)).toEqual(snapshot(id))
        // Moving the inbox alone is no step, and moves what comes next all the same.
        await owned.commit(commitOf({ head: first.id, inbox: task?.position ?? null }))
        await arrival(owned, () => log.publish([message(0, taskFor(id))]))
        expect(texts(await takeSome(owned))).toEqual([taskFor(id)])
        expect((await owned.load([id])).get(id)).toEqual(snapshot(id))
      })

      it('forgets no message that arrives behind one that arrived alone', async () => {
        const owned = await lease(0)
        const tasks = Array.from({ length: 4 }, () => taskFor(sessionId()))
        for (const task of tasks) await arrival(owned, () => log.publish([message(0, task)]))
        const seen: string[] = []
        await world.eventually(async () => {
          seen.push(...texts(await owned.take(PLENTY)))
          expect(seen).toEqual(tasks)
        })
      })

      it('says how many messages no commit has behind it, also to the next owner', async () => {
        const first = await lease(0)
        expect(await first.unread()).toBe(0)
        await log.publish([...['a', 'b', 'c'].map((text) => message(0, text)), message(1, 'x')])
        const [, b] = await takeSome(first)
        expect(await first.unread()).toBe(3)
        await first.commit(commitOf({ inbox: b?.position ?? null }))
        expect(await first.unread()).toBe(1)
        await worker.stop()
        worker = startWorker(log)
        const second = await lease(0)
        expect([await second.unread(), await (await lease(1)).unread()]).toEqual([1, 1])
        await second.commit(commitOf({ inbox: (await takeSome(second)).at(-1)?.position ?? null }))
        expect(await second.unread()).toBe(0)
      })

      it('hands out again to the next owner what was taken and not committed, and nothing that was', async () => {
        await log.publish(['a', 'b', 'c'].map((text) => message(0, text)))
        const first = await lease(0)
        const [, b] = await takeSome(first)
        await first.commit(commitOf({ inbox: b?.position ?? null }))
        await worker.stop()
        worker = startWorker(log)
        expect(texts(await takeSome(await lease(0)))).toEqual(['c'])
      })
    })

    describe('a commit', () => {
      it('appends its step behind the head, with its facts as they were', async () => {
        const owned = await lease(0)
        expect(owned.head).toBeNull()
        const first = await append(owned, null, 3)
        const second = await append(owned, first, 2)
        expect(await log.journal(everything, 100)).toEqual([first, second])
      })

      it('moves facts, sessions, dead letters and the inbox together', async () => {
        await log.publish([message(0, 'a'), message(0, 'b')])
        const owned = await lease(0)
        const [a] = await takeSome(owned)
        const id = sessionId()
        const step = nextStep(owned, null)
        const letter = burial(0, a?.position ?? '', 'a')
        await owned.commit(
          commitOf({ step, inbox: a?.position ?? null, snapshots: [snapshot(id)], deadLetters: [letter] }),
        )
        await worker.stop()
        worker = startWorker(log)
        const next = await lease(0)
        expect(next.head).toEqual({ number: step.number, id: step.id })
        expect(await next.load([id])).toEqual(new Map([[id, snapshot(id)]]))
        expect(texts(await takeSome(next))).toEqual(['b'])
        expect((await log.letters.list({ limit: 9 })).items).toHaveLength(1)
      })

      it('is refused when its step does not follow the head, and then changes nothing', async () => {
        await log.publish([message(0, 'a')])
        const owned = await lease(0)
        const first = await append(owned, null)
        const [a] = await takeSome(owned)
        const id = sessionId()
        const stranger = { ...nextStep(owned, first), previous: 'another-step' }
        const commit = commitOf({ step: stranger, inbox: a?.position ?? null, snapshots: [snapshot(id)] })
        const letter = burial(0, a?.position ?? '', 'a')
        await expect(owned.commit({ ...commit, deadLetters: [letter] })).rejects.toThrow(Fenced)
        await expect(owned.commit(commitOf({ step: nextStep(owned, null) }))).rejects.toThrow(Fenced)
        expect(await log.journal(everything, 100)).toEqual([first])
        expect(await owned.load([id])).toEqual(new Map())
        expect((await log.letters.list({ limit: 9 })).items).toEqual([])
        await worker.stop()
        worker = startWorker(log)
        expect(texts(await takeSome(await lease(0)))).toEqual(['a'])
      })

      it('may leave numbers out, as a repair does, but not go back', async () => {
        const owned = await lease(0)
        const first = await append(owned, null)
        const later = { ...nextStep(owned, first), number: 9 }
        await owned.commit(commitOf({ step: later }))
        await expect(owned.commit(commitOf({ step: { ...nextStep(owned, later), number: 9 } }))).rejects.toThrow(Fenced)
        expect((await log.journal(everything, 100)).map(({ number }) => number)).toEqual([1, 9])
      })

      it('changes nothing when it is repeated', async () => {
        const owned = await lease(0)
        const commit = commitOf({ step: nextStep(owned, null), snapshots: [snapshot(sessionId())] })
        await owned.commit(commit)
        await owned.commit(commit)
        expect(await log.journal(everything, 100)).toEqual([commit.step])
        await append(owned, commit.step)
      })

      it('whose answer was lost is known to be done, once', async () => {
        await worker.stop()
        const process = await world.open()
        worker = startWorker(process.log)
        const owned = await lease(0)
        process.loseAnswerOfCommit()
        const step = nextStep(owned, null)
        const done = owned.commit(commitOf({ step })).then(() => 'done')
        let outcome = ''
        void done.then((value) => {
          outcome = value
        })
        await world.eventually(() => expect(outcome).toBe('done'))
        expect(await log.journal(everything, 100)).toEqual([step])
        await append(owned, step)
      })

      it('without a step moves only the position', async () => {
        await log.publish([message(0, 'a'), message(0, 'b')])
        const owned = await lease(0)
        const [a] = await takeSome(owned)
        await owned.commit(commitOf({ inbox: a?.position ?? null }))
        expect(await log.journal(everything, 100)).toEqual([])
        await worker.stop()
        worker = startWorker(log)
        const next = await lease(0)
        expect(next.head).toBeNull()
        expect(texts(await takeSome(next))).toEqual(['b'])
      })

      it('without a step is refused as well when the head is not the one it was judged by', async () => {
        await log.publish([message(0, 'a')])
        const owned = await lease(0)
        const [a] = await takeSome(owned)
        await owned.commit(commitOf({ step: nextStep(owned, null) }))
        await expect(owned.commit(commitOf({ head: 'not-the-head', inbox: a?.position ?? null }))).rejects.toThrow(
          Fenced,
        )
      })

      it('of one partition is judged apart from those of the others', async () => {
        const owned = await Promise.all([0, 1, 2, 3].map((partition) => lease(partition)))
        const steps = owned.map((one) => nextStep(one, one.partition === 2 ? { number: 1, id: 'not-the-head' } : null))
        const outcomes = await Promise.allSettled(
          owned.map((one, index) => one.commit(commitOf({ step: steps[index] ?? null }))),
        )
        expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected', 'fulfilled'])
        expect((await log.journal(everything, 100)).map(({ partition }) => partition)).toEqual([0, 1, 3])
      })
    })

    describe('sessions', () => {
      it('are loaded as they were last committed, and missing when unknown', async () => {
        const owned = await lease(0)
        const [open, closed, unknown] = [sessionId(), sessionId(), sessionId()]
        const step = nextStep(owned, null)
        await owned.commit(commitOf({ step, snapshots: [snapshot(open), snapshot(closed)] }))
        const later = snapshot(open, 'processing', 2)
        await owned.commit(
          commitOf({ step: nextStep(owned, step), snapshots: [later], tombstones: [tombstone(closed)] }),
        )
        const loaded = await owned.load([open, closed, unknown])
        expect(loaded).toEqual(
          new Map<unknown, unknown>([
            [open, later],
            [closed, tombstone(closed)],
          ]),
        )
        expect(await (await lease(1)).load([open])).toEqual(new Map())
      })

      it('stand as a commit without a step says, one that had closed too: so a repair restores them', async () => {
        const owned = await lease(0)
        const [opening, closing] = [sessionId(), sessionId()]
        const step = nextStep(owned, null)
        await owned.commit(commitOf({ step, snapshots: [snapshot(closing)], tombstones: [tombstone(opening)] }))
        const open = snapshot(opening)
        await owned.commit(commitOf({ head: step.id, snapshots: [open], tombstones: [tombstone(closing)] }))
        const restored = new Map<unknown, unknown>([
          [opening, open],
          [closing, tombstone(closing)],
        ])
        expect(await owned.load([opening, closing])).toEqual(restored)
        expect(await Array.fromAsync(owned.open())).toMatchObject([{ id: opening }])
        expect(await log.journal(everything, 100)).toHaveLength(1)
      })

      it('that owe work are listed, all of them and no other', async () => {
        const owned = await lease(0)
        const owing = Array.from({ length: 1_500 }, () => snapshot(sessionId()))
        const idle = snapshot(sessionId(), 'failed.imported')
        const closing = snapshot(sessionId(), 'failed.owed')
        const step = nextStep(owned, null)
        await owned.commit(commitOf({ step, snapshots: [...owing, idle, closing] }))
        await owned.commit(commitOf({ step: nextStep(owned, step), tombstones: [tombstone(closing.id, 'refunded')] }))
        const listed = await Array.fromAsync(owned.open())
        const ids = (sessions: readonly { id: string }[]) => sessions.map(({ id }) => id).toSorted()
        expect(ids(listed)).toEqual(ids(owing))
        expect(listed[0]?.context).toEqual(owing[0]?.context)
      })

      it('that closed are forgotten beyond the bound, oldest first, and the log says since when', async () => {
        const owned = await lease(0)
        const ids = Array.from({ length: SHAPE.tombstonesMax + 2 }, sessionId)
        let head: StepRef | null = null
        for (const [index, id] of ids.entries()) {
          const step = nextStep(owned, head, 1, Date.UTC(2026, 1, 1 + index))
          await owned.commit(commitOf({ step, tombstones: [tombstone(id)] }))
          head = step
        }
        expect(owned.forgottenUntil()).toBeNull()
        await owned.trim(0)
        expect((await owned.load(ids)).size, 'forgets nothing that the archive may not know').toBe(ids.length)
        await owned.trim(head?.number ?? 0)
        expect([...(await owned.load(ids)).keys()].toSorted()).toEqual(ids.slice(2).toSorted())
        expect(owned.forgottenUntil()).toBe(Date.UTC(2026, 1, 2))
        await worker.stop()
        worker = startWorker(log)
        expect((await lease(0)).forgottenUntil()).toBe(Date.UTC(2026, 1, 2))
      })
    })

    describe('the journal', () => {
      it('is read behind a number per partition, in order and without a gap, about as much as asked for', async () => {
        const heads = new Map<number, number>(everything)
        for (const partition of [0, 1, 2]) {
          const owned = await lease(partition)
          let head: StepRef | null = null
          for (let number = 1; number <= 5; number++) head = await append(owned, head, 4)
        }
        let pages = 0
        for (let page = await log.journal(heads, 10); page.length > 0; page = await log.journal(heads, 10)) {
          expect(page.flatMap(({ facts }) => facts).length).toBeLessThanOrEqual(10 + 3)
          for (const step of page) {
            expect(step.number).toBe((heads.get(step.partition) ?? 0) + 1)
            heads.set(step.partition, step.number)
          }
          pages++
        }
        expect([...heads.values()].slice(0, 4)).toEqual([5, 5, 5, 0])
        expect(pages).toBeGreaterThan(3)
      })

      it('hands out a step that is larger than what was asked for', async () => {
        await append(await lease(0), null, 20)
        expect(await log.journal(everything, 1)).toHaveLength(1)
      })

      it('lets no partition wait behind a busy one', async () => {
        const busy = await lease(0)
        let head: StepRef | null = null
        for (let number = 1; number <= 10; number++) head = await append(busy, head, 3)
        await append(await lease(5), null)
        expect((await log.journal(everything, 6)).map(({ partition }) => partition)).toContain(5)
      })

      it('reads only partitions that are named', async () => {
        await append(await lease(0), null)
        await append(await lease(1), null)
        expect((await log.journal(new Map([[1, 0]]), 100)).map(({ partition }) => partition)).toEqual([1])
      })

      it('calls back when it grew, also from another process, until told to stop', async () => {
        let calls = 0
        const stop = (await world.open()).log.onGrowth(() => calls++)
        const first = await append(await lease(0), null)
        await world.eventually(() => expect(calls).toBeGreaterThan(0))
        stop()
        const before = calls
        await append(await lease(0), first)
        expect(calls).toBe(before)
      })

      it('drops what is trimmed and keeps the rest, and goes on from its head', async () => {
        const owned = await lease(0)
        const first = await append(owned, null)
        const second = await append(owned, first)
        await owned.trim(1)
        expect(await log.journal(everything, 100)).toEqual([second])
        await owned.trim(2)
        const third = await append(owned, second)
        expect(await log.journal(everything, 100)).toEqual([third])
      })
    })

    deadLetterLaws(() => ({ world, log, lease, stop: () => worker.stop() }))

    describe('ownership', () => {
      it('gives one process all partitions, each with a growing epoch', async () => {
        await world.eventually(() => expect(worker.leases.size).toBe(SHAPE.partitions))
        const before = (await lease(0)).epoch
        await worker.stop()
        worker = startWorker(log)
        const after = (await lease(0)).epoch
        expect(after.number).toBeGreaterThan(before.number)
        expect(after.token).not.toBe(before.token)
      })

      it('spreads partitions evenly over processes as they come and go', async () => {
        await world.eventually(() => expect(shares([worker])).toEqual([6]))
        const second = startWorker((await world.open()).log)
        await world.eventually(() => expect(shares([worker, second])).toEqual([3, 3]))
        const third = startWorker((await world.open()).log)
        await world.eventually(() => expect(shares([worker, second, third])).toEqual([2, 2, 2]))
        await second.stop()
        await world.eventually(() => expect(shares([worker, third])).toEqual([3, 3]))
        const owned = [...worker.leases.keys(), ...third.leases.keys()]
        expect(owned).toHaveLength(6)
        expect(new Set(owned)).toEqual(new Set(everything.keys()))
      })

      it('asks for a partition before it takes it, and leaves it until it is released', async () => {
        const owned = await lease(0)
        await world.eventually(() => expect(worker.leases.size).toBe(SHAPE.partitions))
        const asked: number[] = []
        for (const one of worker.leases.values())
          one.handover.addEventListener('abort', () => asked.push(one.partition))
        const second = startWorker((await world.open()).log)
        await world.eventually(() => expect(second.leases.size).toBe(3))
        expect(new Set(asked)).toEqual(new Set(second.leases.keys()))
        expect(owned.lost.aborted).toBe(false)
      })

      it('lets others take a partition that its owner gave up by itself', async () => {
        await world.eventually(() => expect(worker.leases.size).toBe(SHAPE.partitions))
        const before = worker.lease(0).epoch.number
        worker.giveUp(0)
        const next = await world.eventually(() => {
          expect(worker.lease(0).epoch.number).toBeGreaterThan(before)
          return worker.lease(0)
        })
        await append(next, null)
        expect(worker.leases.size).toBe(SHAPE.partitions)
      })

      it('passes from a silent process to the others, and lets exactly one of both commit', async () => {
        await worker.stop()
        const silent = await world.open()
        const zombie = startWorker(silent.log)
        const stale = await lease(0, zombie)
        const first = await append(stale, null)
        silent.freeze()
        const heir = startWorker(log)
        const owned = await world.eventually(() => heir.lease(0))
        expect(owned.head).toEqual({ number: 1, id: first.id })
        expect(owned.epoch.number).toBeGreaterThan(stale.epoch.number)
        const outcomes = await Promise.allSettled([append(stale, first), append(owned, first)])
        expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'fulfilled'])
        await expect(append(stale, first)).rejects.toThrow(Fenced)
        await expect(stale.commit(commitOf({ inbox: '1' }))).rejects.toThrow(Fenced)
      })

      it('refuses a commit under a lease that was released', async () => {
        const stale = await lease(0)
        await worker.stop()
        await expect(append(stale, null)).rejects.toThrow(Fenced)
        expect(stale.lost.aborted).toBe(false)
      })

      it('is handed over at once by a process that stops', async () => {
        await world.eventually(() => expect(worker.leases.size).toBe(SHAPE.partitions))
        const heads = await append(worker.lease(4), null)
        const heir = startWorker((await world.open()).log)
        await worker.stop()
        await world.eventually(() => expect(heir.leases.size).toBe(SHAPE.partitions))
        expect(heir.lease(4).head).toEqual({ number: 1, id: heads.id })
      })
    })
  })
}
