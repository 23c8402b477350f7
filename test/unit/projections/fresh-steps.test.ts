import fc from 'fast-check'
import { describe, expect, it, vi } from 'vitest'
import {
  type EventLog,
  Fenced,
  type PartitionLease,
  type Step,
  type StepRef,
} from '../../../src/machines/ports/event-log.ts'
import { withFreshSteps } from '../../../src/projections/fresh-steps.ts'
import { commitOf, nextStep } from '../../support/log-samples.ts'
import { startWorker } from '../../support/log-worker.ts'
import { memoryLogWorld } from '../../support/memory-log-world.ts'

const SHAPE = { partitions: 2, tombstonesMax: 5, lettersMax: 4 }
const FACTS_MAX = 6

const fromTheStart = new Map([
  [0, 0],
  [1, 0],
])

/** A log with its newest steps at hand, whose process owns both partitions. */
const owning = async () => {
  const world = memoryLogWorld(SHAPE)
  const { log: plain } = await world.open()
  const log = withFreshSteps(plain, FACTS_MAX)
  const journal = vi.spyOn(plain, 'journal')
  const worker = startWorker(log)
  const leases = await world.eventually(() => [worker.lease(0), worker.lease(1)] as const)
  const heads: (StepRef | null)[] = [null, null]
  const append = async (lease: PartitionLease, facts = 1, leftOut = 0): Promise<Step> => {
    const next = nextStep(lease, heads[lease.partition] ?? null, facts)
    const step = { ...next, number: next.number + leftOut }
    await lease.commit(commitOf({ step }))
    heads[lease.partition] = step
    return step
  }
  return { world, plain, log, journal, worker, leases, append }
}

describe('a log that has its newest steps at hand', () => {
  it('answers them without asking the log, in the order of their commits, and that there are no more', async () => {
    const { log, journal, leases, append } = await owning()
    const steps = [await append(leases[0]), await append(leases[1], 2), await append(leases[0])]
    expect(await log.journal(fromTheStart, 3)).toEqual(steps.slice(0, 2))
    expect(await log.journal(fromTheStart, 100)).toEqual(steps)
    const ends = new Map([
      [0, 2],
      [1, 1],
    ])
    expect(await log.journal(ends, 100)).toEqual([])
    expect(journal).not.toHaveBeenCalled()
  })

  it('has so many facts at hand and no more: for a reader further behind it asks the log', async () => {
    const { log, journal, leases, append } = await owning()
    const steps = [await append(leases[0], FACTS_MAX)]
    expect(await log.journal(new Map([[0, 0]]), 100)).toEqual(steps)
    expect(journal).not.toHaveBeenCalled()
    steps.push(await append(leases[0], FACTS_MAX), await append(leases[0]))
    expect(await log.journal(new Map([[0, 0]]), 100)).toEqual(steps)
    expect(journal).toHaveBeenCalledOnce()
  })

  it('tells of growth once a step is at hand, whenever the log did', async () => {
    const { log, leases, append } = await owning()
    const seen: Promise<Step[]>[] = []
    const stop = log.onGrowth(() => seen.push(log.journal(fromTheStart, 100)))
    const step = await append(leases[0])
    expect(await seen.at(-1)).toEqual([step])
    stop()
    const heard = seen.length
    await append(leases[0])
    expect(seen.length).toBe(heard)
  })

  it.each(['lost', 'given up'] as const)('asks the log once a partition is %s: others may commit', async (how) => {
    const { world, log, plain, worker, leases, append } = await owning()
    const first = await append(leases[0])
    const other = startWorker(plain)
    if (how === 'given up') worker.giveUp(0)
    else await worker.stop()
    const lease = await world.eventually(() => other.lease(0))
    const second = nextStep(lease, first)
    await lease.commit(commitOf({ step: second }))
    expect(await log.journal(new Map([[0, 1]]), 100)).toEqual([second])
    expect(await log.journal(new Map([[0, 0]]), 100)).toEqual([first, second])
  })

  it('asks the log once a commit was refused: what it holds instead is not known', async () => {
    const { log, journal, leases, append } = await owning()
    const first = await append(leases[0])
    const stray = nextStep(leases[0], null)
    await expect(leases[0].commit(commitOf({ step: stray }))).rejects.toThrow(Fenced)
    expect(await log.journal(new Map([[0, 0]]), 100)).toEqual([first])
    expect(journal).toHaveBeenCalledOnce()
  })

  it('reads what the log reads, or the first of it, however far behind the reader is and whatever a repair left out', async () => {
    const move = fc.record({
      partition: fc.constantFrom(0, 1),
      facts: fc.integer({ min: 0, max: 4 }),
      leftOut: fc.constantFrom(0, 0, 0, 3),
      reads: fc.boolean(),
      limit: fc.integer({ min: 1, max: 12 }),
      back: fc.constantFrom(0, 0, 0, 2),
    })
    await fc.assert(
      fc.asyncProperty(fc.array(move, { maxLength: 30 }), async (moves) => {
        const { plain, log, leases, append } = await owning()
        const at = new Map(fromTheStart)
        for (const { partition, facts, leftOut, reads, limit, back } of moves) {
          await append(leases[partition] ?? leases[0], facts, leftOut)
          if (!reads) continue
          const after = new Map([...at].map(([one, number]) => [one, Math.max(0, number - back)]))
          const near = await log.journal(after, limit)
          await expectPrefix(plain, after, near)
          for (const step of near) at.set(step.partition, Math.max(at.get(step.partition) ?? 0, step.number))
        }
      }),
      { numRuns: 60 },
    )
  })
})

/** Of each partition the first of what the log has; nothing only where the log has nothing. */
const expectPrefix = async (plain: EventLog, after: ReadonlyMap<number, number>, near: readonly Step[]) => {
  const all = await plain.journal(after, Infinity)
  expect(near.length === 0).toBe(all.length === 0)
  for (const partition of after.keys()) {
    const of = (steps: readonly Step[]) => steps.filter((step) => step.partition === partition)
    expect(of(near)).toEqual(of(all).slice(0, of(near).length))
  }
}
