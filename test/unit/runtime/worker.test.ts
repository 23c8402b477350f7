import { getEventListeners } from 'node:events'
import { describe, expect, it } from 'vitest'
import type { GenerationOutcome } from '../../../src/machines/effects/outcome.ts'
import type { PartitionLease } from '../../../src/machines/ports/event-log.ts'
import type { History } from '../../../src/machines/ports/history.ts'
import { otherSessionId, result, sessionId } from '../../support/facts.ts'
import { noHistory } from '../../support/no-history.ts'
import { startWorker } from '../../support/one-partition.ts'
import { VirtualClock } from '../../support/virtual-clock.ts'

/** A minute for every try, so that what waits for a slot can be told from what has one. */
const TRY_MS = 60_000

/** The steps of a worker's partition after a while, and how many tries it began. */
const work = async (concurrency: number, sessions: readonly string[], first?: GenerationOutcome) => {
  const clock = new VirtualClock()
  let tries = 0
  const worker = await startWorker(clock, concurrency, sessions, async (_session, signal) => {
    tries += 1
    if (first !== undefined && tries === 1) return first
    await clock.sleep(TRY_MS, signal)
    return { kind: 'completed', result }
  })
  await clock.advance(TRY_MS - 1)
  const steps = await worker.steps()
  await worker.stop(TRY_MS)
  return { steps, tries }
}

describe('a new session', () => {
  it('starts in the step that it comes in, when a slot is free', async () => {
    expect((await work(1, [sessionId])).steps).toEqual([['generation.requested', 'generation.started']])
  })

  it('starts once, however often its task lies in the inbox', async () => {
    const { steps, tries } = await work(4, [sessionId, sessionId, sessionId])
    expect([steps, tries]).toEqual([[['generation.requested', 'generation.started']], 1])
  })

  it('waits when the slots are taken', async () => {
    const { steps, tries } = await work(1, [sessionId, otherSessionId])
    expect(steps).toEqual([['generation.requested', 'generation.requested', 'generation.started']])
    expect(tries).toBe(1)
  })

  it('waits out its time when it is put back, although a slot is free', async () => {
    const limited = { kind: 'failed', code: 'rate_limited', detail: '', retryAfterMs: 2 * TRY_MS } as const
    const { steps } = await work(2, [sessionId], limited)
    expect(steps).toEqual([['generation.requested', 'generation.started'], ['generation.deferred']])
  })
})

describe('what waits in a partition', () => {
  it('is said as long as the partition is held: what no commit has read, and where the journal ends', async () => {
    const clock = new VirtualClock()
    const worker = await startWorker(clock, 1, [sessionId, otherSessionId], (_session, signal) =>
      clock.sleep(3 * TRY_MS, signal).then(() => ({ kind: 'completed', result })),
    )
    await clock.advance(TRY_MS)
    const steps = await worker.steps()
    expect(steps.length).toBeGreaterThan(0)
    expect(await worker.backlogs()).toEqual([{ partition: 0, unread: 0, head: steps.length }])
    await worker.stop(TRY_MS)
    expect(await worker.backlogs()).toEqual([])
  })

  const askedWhile = async (isAway: (partition: number) => boolean) => {
    const clock = new VirtualClock()
    const unread = () => Promise.reject(new Error('this node is away'))
    const worker = await startWorker(clock, 1, [], () => Promise.reject(new Error('nothing is asked for')), {
      partitions: 2,
      plant: (lease) => (isAway(lease.partition) ? { ...lease, unread } : lease),
    })
    await clock.advance(TRY_MS)
    const backlogs = worker.backlogs()
    backlogs.catch(() => undefined)
    await worker.stop(TRY_MS)
    return backlogs
  }

  it('is not known of what is away, and said of the rest', async () => {
    const said = await askedWhile((partition) => partition === 1)
    expect(said.toSorted((one, other) => one.partition - other.partition)).toEqual([
      { partition: 0, unread: 0, head: 0 },
      { partition: 1, unread: null, head: 0 },
    ])
  })

  it('is an error when nothing answers', async () => {
    await expect(askedWhile(() => true)).rejects.toThrow('this node is away')
  })
})

describe('a damaged partition', () => {
  const damaged: History = {
    ...noHistory,
    admit: async () => ({ admitted: false, reason: 'log_replaced', archived: null }),
  }
  const nothingIsAsked = () => Promise.reject(new Error('nothing is asked for'))

  it('is repaired once, however often it is asked for at once', async () => {
    const clock = new VirtualClock()
    const worker = await startWorker(clock, 1, [], nothingIsAsked, { history: damaged })
    await clock.advance(TRY_MS)
    const asked = Promise.allSettled([worker.repair(), worker.repair()])
    await clock.advance(TRY_MS)
    expect((await asked)[1]).toEqual({ status: 'fulfilled', value: null })
    await worker.stop(TRY_MS)
  })

  it('leaves nothing behind with each look, for however long it waits for its repair', async () => {
    const clock = new VirtualClock()
    const leases: PartitionLease[] = []
    const worker = await startWorker(clock, 1, [], nothingIsAsked, {
      plant: (lease) => {
        leases.push(lease)
        return lease
      },
      history: damaged,
    })
    const listeners = () =>
      leases.flatMap(({ lost, handover }) =>
        [lost, handover].map((signal) => getEventListeners(signal, 'abort').length),
      )
    await clock.advance(TRY_MS)
    const afterAMinute = listeners()
    await clock.advance(60 * TRY_MS)
    expect(listeners()).toEqual(afterAMinute)
    await worker.stop(TRY_MS)
  })
})
