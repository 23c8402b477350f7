import { describe, expect, it } from 'vitest'
import { PolledGrowth } from '../../src/adapters/supabase/growth.ts'
import { virtualClock } from '../support/clock.ts'

/** Long enough for the pauses to be as long as they get. */
const LONG_MS = 10_000
const TICK_MS = 100

describe('polled growth', () => {
  const watched = () => {
    const clock = virtualClock()
    const closing = new AbortController()
    const seen = { looks: 0, calls: 0, head: 0, fails: false }
    const look = async () => {
      seen.looks++
      if (seen.fails) throw new Error('no answer')
      return seen.head
    }
    const growth = new PolledGrowth(look, clock, closing.signal)
    const pass = async (ms: number) => {
      for (let passed = 0; passed < ms; passed += TICK_MS) await clock.advance(TICK_MS)
    }
    return { seen, growth, pass, closing }
  }

  it('asks often while there is something new, and every two seconds when there is not', async () => {
    const { seen, growth, pass } = watched()
    growth.onGrowth(() => seen.calls++)
    await pass(LONG_MS)
    expect(seen.looks).toBeLessThan(10)
    const idle = seen.calls
    seen.head = 5
    for (let passed = 0; passed < 2_000 && seen.calls === idle; passed += TICK_MS) await pass(TICK_MS)
    expect(seen.calls).toBe(idle + 1)
    const before = seen.looks
    await pass(700)
    expect(seen.looks - before).toBe(2)
  })

  it('asks nobody while nobody listens, and goes on through an outage', async () => {
    const { seen, growth, pass, closing } = watched()
    await pass(LONG_MS)
    expect(seen.looks).toBe(0)
    const stop = growth.onGrowth(() => seen.calls++)
    await pass(1_000)
    seen.fails = true
    await pass(LONG_MS)
    seen.fails = false
    seen.head = 1
    const before = seen.calls
    await pass(2_100)
    expect(seen.calls).toBe(before + 1)
    stop()
    await pass(2_100)
    const asked = seen.looks
    await pass(LONG_MS)
    expect(seen.looks).toBe(asked)
    growth.onGrowth(() => seen.calls++)
    await pass(1_000)
    expect(seen.looks).toBeGreaterThan(asked)
    closing.abort()
    const closed = seen.looks
    await pass(LONG_MS)
    expect(seen.looks).toBe(closed)
  })

  it('tells at once what this process wrote itself', () => {
    const { seen, growth } = watched()
    growth.onGrowth(() => seen.calls++)
    growth.grown()
    expect(seen.calls).toBe(1)
  })
})
