import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { RateShare } from '../../../src/machines/runtime/rate-share.ts'

const MINUTE_MS = 60_000

/** A clock that a test sets by hand. */
const handClock = () => {
  let now = 0
  return {
    now: () => now,
    sleep: () => Promise.resolve(),
    pass: (ms: number) => {
      now += ms
    },
  }
}

const takeAll = (rate: RateShare): number => {
  let taken = 0
  while (rate.take()) taken++
  return taken
}

describe('a share of the request rate', () => {
  it('starts empty, so that partitions that move do not bring their requests twice', () => {
    const clock = handClock()
    const rate = new RateShare(300, clock)
    clock.pass(MINUTE_MS)
    rate.setShare(1)
    expect(rate.take()).toBe(false)
  })

  it('keeps nobody waiting where there is no limit, as a gate that is asked beside another must say', () => {
    const rate = new RateShare(null, handClock())
    expect([rate.take(), rate.waitMs()]).toEqual([true, 0])
  })

  it('tells how long until the next request, no longer and no shorter', () => {
    const clock = handClock()
    const rate = new RateShare(300, clock)
    rate.setShare(0.5)
    clock.pass(rate.waitMs() - 1)
    expect(rate.take()).toBe(false)
    clock.pass(1.001)
    expect([rate.take(), rate.take()]).toEqual([true, false])
  })

  it('holds a few seconds of requests at most, however long nobody asks', () => {
    const clock = handClock()
    const rate = new RateShare(300, clock)
    rate.setShare(1)
    clock.pass(60 * MINUTE_MS)
    expect(takeAll(rate)).toBe(15)
  })

  it('lets nearly the whole share through when it is asked all the time', () => {
    const clock = handClock()
    const rate = new RateShare(300, clock)
    rate.setShare(1)
    let taken = 0
    for (let second = 0; second < 600; second++) {
      clock.pass(1_000)
      taken += takeAll(rate)
    }
    expect(taken / 10).toBeGreaterThanOrEqual(280)
  })

  it('gives nothing to a process without partitions', () => {
    const clock = handClock()
    const rate = new RateShare(300, clock)
    rate.setShare(1)
    clock.pass(MINUTE_MS)
    rate.setShare(0)
    clock.pass(MINUTE_MS)
    expect([rate.take(), rate.waitMs()]).toEqual([false, Number.POSITIVE_INFINITY])
  })

  it('lets a small share through too', () => {
    const clock = handClock()
    const rate = new RateShare(300, clock)
    rate.setShare(1 / 64)
    clock.pass(MINUTE_MS)
    expect(rate.take()).toBe(true)
  })

  it('holds nobody up where a provider has no limit', () => {
    const rate = new RateShare(null, handClock())
    expect([rate.take(), rate.take()]).toEqual([true, true])
  })
})

/** Who of a fleet holds which part of the partitions, and how many requests each tries to make after a pause. */
const move = fc.record({
  pauseMs: fc.oneof({ weight: 5, arbitrary: fc.nat(2_500) }, { weight: 1, arbitrary: fc.nat(60_000) }),
  parts: fc.option(fc.array(fc.nat(4), { minLength: 4, maxLength: 4 }), { freq: 1 }),
  tries: fc.oneof(fc.constant([100, 100, 100, 100]), fc.array(fc.nat(30), { minLength: 4, maxLength: 4 })),
})

describe('a fleet', () => {
  it('never sends more than the limit in any minute, however its partitions move', () => {
    const moves = fc.array(move, { minLength: 40, maxLength: 80 })
    fc.assert(
      fc.property(fc.integer({ min: 300, max: 600 }), moves, (limit, made) => {
        expect(mostInAMinute(requestsOf(limit, made))).toBeLessThanOrEqual(limit)
      }),
      { numRuns: 50 },
    )
  })

  it('of one process never sends more than the smallest limit', () => {
    const pauses = fc.array(fc.nat(20_000), { maxLength: 40 })
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 30 }), pauses, (limit, made) => {
        const alone = made.map((pauseMs) => ({ pauseMs, parts: [1, 0, 0, 0], tries: [100, 0, 0, 0] }))
        expect(mostInAMinute(requestsOf(limit, alone))).toBeLessThanOrEqual(limit)
      }),
      { numRuns: 50 },
    )
  })

  it('sends no more than the limit in the minute that follows a long pause', () => {
    const greedy = Array.from({ length: 600 }, () => ({ pauseMs: 100, parts: null, tries: [100, 100, 100, 100] }))
    const pause = { pauseMs: MINUTE_MS, parts: null, tries: [] }
    const sent = requestsOf(300, [{ pauseMs: 0, parts: [1, 1, 1, 1], tries: [] }, pause, ...greedy])
    expect(mostInAMinute(sent)).toBeLessThanOrEqual(300)
    expect(mostInAMinute(sent)).toBeGreaterThan(290)
  })
})

/** @param sent when requests were sent, in order. */
const mostInAMinute = (sent: readonly number[]): number => {
  let most = 0
  let first = 0
  for (const [index, at] of sent.entries()) {
    while ((sent[first] ?? at) < at - MINUTE_MS) first++
    most = Math.max(most, index - first + 1)
  }
  return most
}

/** When requests were sent, one entry for each. */
const requestsOf = (
  limit: number,
  moves: readonly { pauseMs: number; parts: readonly number[] | null; tries: readonly number[] }[],
): number[] => {
  const clock = handClock()
  const fleet = Array.from({ length: 4 }, () => new RateShare(limit, clock))
  const sent: number[] = []
  for (const { pauseMs, parts, tries } of moves) {
    clock.pass(pauseMs)
    const whole = parts?.reduce((sum, part) => sum + part, 0) ?? 0
    for (const [index, rate] of fleet.entries()) {
      if (parts !== null) rate.setShare(whole === 0 ? 0 : (parts[index] ?? 0) / whole)
      for (let tried = 0; tried < (tries[index] ?? 0) && rate.take(); tried++) sent.push(clock.now())
    }
  }
  return sent
}
