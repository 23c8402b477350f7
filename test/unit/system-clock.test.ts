import { afterEach, expect, it, vi } from 'vitest'
import { steadyClock } from '../../src/adapters/system/clock.ts'

afterEach(() => vi.restoreAllMocks())

it('sleeps until a moment that is over without asking for a negative time, of which Node warns', async () => {
  const timer = vi.spyOn(globalThis, 'setTimeout')
  const clock = steadyClock()
  await clock.sleep(clock.now() - 5 - clock.now())
  expect(timer.mock.calls.map(([, ms]) => ms)).toEqual([0])
})
