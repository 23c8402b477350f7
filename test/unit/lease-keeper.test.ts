import { randomUUID } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { memoryLeaseTable } from '../../src/adapters/memory/lease-table.ts'
import { memoryLogState } from '../../src/adapters/memory/log-state.ts'
import { askingOrder, fairShare } from '../../src/adapters/shared/fair-share.ts'
import type { HeldLease } from '../../src/adapters/shared/kept-lease.ts'
import { keepLeases } from '../../src/adapters/shared/lease-keeper.ts'
import { Fenced } from '../../src/machines/ports/event-log.ts'
import { virtualClock } from '../support/clock.ts'

const TTL_MS = 5_000
const DRAIN_MS = 20_000

const untilLost = (lease: HeldLease<null>) =>
  new Promise<void>((resolve) => lease.lost.addEventListener('abort', () => resolve()))

/** One member on a log of four partitions, whose connection can break. */
const member = (work: (lease: HeldLease<null>) => Promise<void>) => {
  const clock = virtualClock()
  const state = memoryLogState(4, 'log')
  const world = { reachable: true, slowMs: 0, silent: new Set<number>() }
  const call = async <Value>(operation: () => Promise<Value>) => {
    if (!world.reachable) throw new Error('unreachable')
    const value = await operation()
    if (world.slowMs > 0) await clock.sleep(world.slowMs)
    return value
  }
  const whole = memoryLeaseTable({ state, clock, newId: randomUUID, call })
  /** A table over several nodes, some of which may be away. */
  const table: typeof whole = {
    ...whole,
    beat: async (...asked) => {
      const { extended, ...pulse } = await whole.beat(...asked)
      return { ...pulse, extended: extended.difference(world.silent), unknown: world.silent }
    },
  }
  const leases: HeldLease<null>[] = []
  const stop = new AbortController()
  let outcome: unknown = 'running'
  const keep = (lease: HeldLease<null>) => {
    leases.push(lease)
    return work(lease)
  }
  const options = { table, member: 'me', clock, ttlMs: TTL_MS, drainMs: DRAIN_MS, work: keep, onError: () => undefined }
  void keepLeases(options, stop.signal).then(
    () => {
      outcome = 'ended'
    },
    (error: unknown) => {
      outcome = error
    },
  )
  return { clock, state, world, leases, stop, outcome: () => outcome }
}

describe('the keeper of leases', () => {
  it('fires `lost` before the lease ends for others, when nothing could be extended', async () => {
    const { clock, state, world, leases } = member(untilLost)
    await clock.advance(0)
    world.reachable = false
    for (let passed = 0; !leases[0]?.lost.aborted; passed += 50) {
      expect(passed).toBeLessThan(TTL_MS)
      await clock.advance(50)
    }
    expect(state.data.partitions[0]?.expiresAt).toBeGreaterThan(clock.now())
    expect(leases.every(({ lost }) => lost.aborted)).toBe(true)
  })

  it('knows at the first use after a long stop that the lease is over, without waiting for a timer', async () => {
    const { clock, leases } = member(untilLost)
    await clock.advance(0)
    const [lease] = leases
    const passing = clock.advance(TTL_MS)
    expect(() => lease?.assertHeld()).toThrow(Fenced)
    expect(lease?.lost.aborted).toBe(true)
    await passing
  })

  it('does not extend a lease by an answer that comes after its end', async () => {
    const { clock, world, leases } = member(untilLost)
    await clock.advance(0)
    world.slowMs = TTL_MS * 2
    for (let passed = 0; passed < TTL_MS * 3; passed += 250) await clock.advance(250)
    expect(leases.slice(0, 4).every(({ lost }) => lost.aborted)).toBe(true)
  })

  it('holds on to a lease of which nobody knows until its time is over, and disturbs no other', async () => {
    const { clock, world, leases } = member(untilLost)
    await clock.advance(0)
    world.silent.add(2)
    const lost = () => leases.flatMap((lease) => (lease.lost.aborted ? [lease.partition] : []))
    for (let passed = 0; passed < TTL_MS / 2; passed += 250) await clock.advance(250)
    expect(lost()).toEqual([])
    for (let passed = 0; passed < TTL_MS; passed += 250) await clock.advance(250)
    expect(lost()).toEqual([2])
  })

  it('gives up with the reason when the log stays out of reach, and takes up again when called again', async () => {
    const { clock, world, outcome } = member(untilLost)
    await clock.advance(0)
    world.reachable = false
    for (let passed = 0; passed < TTL_MS * 2; passed += 250) await clock.advance(250)
    expect(outcome()).toEqual(new Error('unreachable'))
  })

  it('lets one partition fail without disturbing the others, and pauses before it is taken again', async () => {
    const { clock, leases } = member((lease) =>
      lease.partition === 2 ? Promise.reject(new Error('bug')) : untilLost(lease),
    )
    for (let passed = 0; passed < TTL_MS; passed += 250) await clock.advance(250)
    expect(leases.filter(({ partition }) => partition === 2)).toHaveLength(1)
    for (let passed = 0; passed < TTL_MS * 2; passed += 250) await clock.advance(250)
    expect(leases.filter(({ partition }) => partition === 2)).toHaveLength(2)
    expect(leases.filter(({ partition, lost }) => partition !== 2 && !lost.aborted)).toHaveLength(3)
  })

  it('never works on a partition twice at once, also when the work outlives its lease', async () => {
    const { clock, world, leases } = member(() => new Promise(() => undefined))
    await clock.advance(0)
    world.reachable = false
    await clock.advance(TTL_MS - 500)
    world.reachable = true
    for (let passed = 0; passed < TTL_MS * 4; passed += 250) await clock.advance(250)
    expect(leases).toHaveLength(4)
  })

  it('waits for the work at the end, keeps its leases meanwhile, and not for ever', async () => {
    const { clock, leases, stop, outcome } = member(() => new Promise(() => undefined))
    await clock.advance(0)
    stop.abort()
    for (let passed = 0; passed < DRAIN_MS - 1_000; passed += 250) await clock.advance(250)
    expect(leases.every(({ handover, lost }) => handover.aborted && !lost.aborted)).toBe(true)
    for (let passed = 0; passed < DRAIN_MS + 2_000; passed += 250) await clock.advance(250)
    expect(leases.every(({ lost }) => lost.aborted)).toBe(true)
    expect(outcome()).toBe('ended')
  })
})

describe('fair shares', () => {
  it('add up to all partitions and differ by one at most', () => {
    for (let members = 1; members <= 9; members++) {
      const names = Array.from({ length: members }, (_, index) => `member-${index}`)
      const shares = names.map((name) => fairShare(7, names, name))
      expect(shares.reduce((sum, share) => sum + share, 0)).toBe(7)
      expect(Math.max(...shares) - Math.min(...shares)).toBeLessThanOrEqual(1)
    }
    expect(fairShare(7, ['a'], 'a stranger')).toBe(0)
  })

  it('are asked for from different ends', () => {
    expect(askingOrder([1, 2, 3, 4], ['a', 'b'], 'a')).toEqual([1, 2, 3, 4])
    expect(askingOrder([1, 2, 3, 4], ['a', 'b'], 'b')).toEqual([3, 4, 1, 2])
  })
})
