import { expect, test } from 'vitest'
import { Backlog } from '../../../src/http/backlog.ts'
import { virtualClock } from '../../support/clock.ts'

const counting = (count: () => Promise<number>) => {
  let reads = 0
  const clock = virtualClock()
  const backlog = new Backlog(
    () => {
      reads += 1
      return count()
    },
    1_000,
    clock,
  )
  return { backlog, clock, reads: () => reads }
}

test('counts once in a while, and adds what was accepted since', async () => {
  const { backlog, clock, reads } = counting(async () => 5)
  expect(await Promise.all([backlog.of('a'), backlog.of('a')])).toEqual([5, 5])
  backlog.accepted('a')
  expect([await backlog.of('a'), reads()]).toEqual([6, 1])
  await clock.advance(1_000)
  expect([await backlog.of('a'), reads()]).toEqual([5, 2])
  expect([await backlog.of('b'), reads()]).toEqual([5, 3])
})

test('forgets a count that failed', async () => {
  let fails = true
  const { backlog } = counting(() => (fails ? Promise.reject(new Error('down')) : Promise.resolve(1)))
  await expect(backlog.of('a')).rejects.toThrow('down')
  fails = false
  expect(await backlog.of('a')).toBe(1)
})
