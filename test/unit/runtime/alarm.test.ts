import { describe, expect, it } from 'vitest'
import { Alarm } from '../../../src/machines/runtime/alarm.ts'
import { VirtualClock } from '../../support/virtual-clock.ts'

/** An alarm whose times count from its start, with what it gave each time it rang. */
const alarmOf = (limit = 10) => {
  const clock = new VirtualClock()
  const start = clock.now()
  const rings: { at: number; due: string[] }[] = []
  const alarm = new Alarm(clock, () => {
    rings.push({ at: clock.now() - start, due: alarm.take(clock.now(), limit) })
  })
  return { clock, alarm, rings, set: (id: string, at: number) => alarm.set(id, start + at) }
}

describe('an alarm', () => {
  it('rings when something is due, and says what', async () => {
    const { clock, rings, set } = alarmOf()
    set('late', 900)
    set('early', 300)
    set('early too', 300)
    await clock.advance(299)
    expect(rings).toEqual([])
    await clock.advance(10_000)
    expect(rings).toEqual([
      { at: 300, due: ['early', 'early too'] },
      { at: 900, due: ['late'] },
    ])
    expect(clock.sleeping).toBe(0)
  })

  it.each([
    ['later', 900, [{ at: 900, due: ['one'] }]],
    ['earlier', 100, [{ at: 100, due: ['one'] }]],
    ['to the same time', 500, [{ at: 500, due: ['one'] }]],
  ])('can be moved %s', async (_, at, expected) => {
    const { clock, rings, set } = alarmOf()
    set('one', 500)
    set('one', at)
    await clock.advance(10_000)
    // It may ring in between for a time that does not count any more.
    expect(rings.filter(({ due }) => due.length > 0)).toEqual(expected)
  })

  it('rings at once for a time that is over', async () => {
    const { clock, rings, set } = alarmOf()
    set('one', -500)
    await clock.advance(0)
    expect(rings).toEqual([{ at: 0, due: ['one'] }])
  })

  it('forgets what was cleared, and rings for it once when it is set again', async () => {
    const { clock, alarm, rings, set } = alarmOf()
    set('one', 300)
    alarm.clear('one')
    set('two', 400)
    alarm.clear('two')
    set('two', 400)
    await clock.advance(10_000)
    expect(rings.flatMap(({ due }) => due)).toEqual(['two'])
  })

  it('gives no more than asked for, and rings again for the rest', async () => {
    const { clock, rings, set } = alarmOf(2)
    for (const id of ['1', '2', '3', '4', '5']) set(id, 300)
    await clock.advance(300)
    expect(rings.map(({ due }) => due.length)).toEqual([2, 2, 1])
    expect(new Set(rings.flatMap(({ due }) => due)).size).toBe(5)
  })

  it('is silent once it was stopped', async () => {
    const { clock, alarm, rings, set } = alarmOf()
    set('one', 300)
    alarm.stop()
    await clock.advance(10_000)
    expect([rings, clock.sleeping]).toEqual([[], 0])
  })
})
