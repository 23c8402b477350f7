import fc from 'fast-check'
import { expect, test } from 'vitest'
import { RateLimit } from '../../../src/http/rate-limit.ts'

const clockAt = (now: () => number) => ({ now, sleep: async () => {} })

test('never lets more through than the bucket and what flowed in since', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 500 }),
      fc.array(fc.integer({ min: 0, max: 20_000 }), { maxLength: 200 }),
      (perMinute, pauses) => {
        let nowMs = 0
        let allowed = 0
        const limit = new RateLimit(
          'key',
          perMinute,
          clockAt(() => nowMs),
        )
        for (const pauseMs of pauses) {
          nowMs += pauseMs
          if (limit.take('one').allowed) allowed += 1
          expect(allowed).toBeLessThanOrEqual(perMinute + (nowMs * perMinute) / 60_000 + 1e-6)
        }
      },
    ),
  )
})

test('lets a caller go on when Retry-After says so, and not a second before', () => {
  let nowMs = 0
  const limit = new RateLimit(
    'key',
    6,
    clockAt(() => nowMs),
  )
  for (let count = 0; count < 6; count++) expect(limit.take('one').allowed).toBe(true)
  const refused = limit.take('one')
  expect([refused.allowed, refused.headers['Retry-After']]).toEqual([false, '10'])
  nowMs = 9_000
  expect(limit.take('one').allowed).toBe(false)
  nowMs = 10_000
  expect(limit.take('one').allowed).toBe(true)
})

test('remembers a bounded number of callers, those seen last', () => {
  const limit = new RateLimit(
    'address',
    1,
    clockAt(() => 0),
  )
  limit.take('first')
  for (let count = 0; count < 9_999; count++) limit.take(`${count}`)
  expect(limit.take('first').allowed).toBe(false)
  for (let count = 0; count < 10_000; count++) limit.take(`more ${count}`)
  expect(limit.take('first').allowed).toBe(true)
})
