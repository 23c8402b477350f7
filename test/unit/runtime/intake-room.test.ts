import { beforeEach, describe, expect, it } from 'vitest'
import { IntakeRoom } from '../../../src/machines/runtime/intake-room.ts'
import { settled, VirtualClock } from '../../support/virtual-clock.ts'

describe('the room for what partitions take in', () => {
  let clock: VirtualClock
  let room: IntakeRoom
  let entered: string[]

  beforeEach(() => {
    clock = new VirtualClock()
    room = new IntakeRoom(clock)
    entered = []
  })

  /** A step on so many messages that lasts until it is told to end. */
  const step = (name: string, messages: number) => {
    const { promise, resolve, reject } = Promise.withResolvers<string>()
    const taken = { arrived: Array.from({ length: messages }, () => ({}) as never), poison: [] }
    const ended = room.run(taken, () => {
      entered.push(name)
      return promise
    })
    return { end: () => resolve(name), fail: reject, ended }
  }

  it('lets steps on up to 200 messages in at once, and the next when one has ended', async () => {
    const first = step('first', 120)
    step('second', 80)
    step('third', 1)
    await settled()
    expect(entered).toEqual(['first', 'second'])
    first.end()
    expect(await first.ended).toBe('first')
    expect(entered).toEqual(['first', 'second', 'third'])
  })

  it('keeps the order: a small step does not overtake a large one', async () => {
    const first = step('first', 150)
    step('large', 100)
    step('small', 1)
    await settled()
    expect(entered).toEqual(['first'])
    first.end()
    await settled()
    expect(entered).toEqual(['first', 'large', 'small'])
  })

  it('never holds up a step without a message', async () => {
    step('full', 200)
    step('waits', 1)
    step('outcomes only', 0)
    await settled()
    expect(entered).toEqual(['full', 'outcomes only'])
  })

  it('lets more than fit in alone', async () => {
    const before = step('before', 1)
    step('huge', 1_000)
    await settled()
    expect(entered).toEqual(['before'])
    before.end()
    await settled()
    expect(entered).toEqual(['before', 'huge'])
  })

  it('counts a step that fails no more', async () => {
    const failing = step('failing', 200)
    step('next', 1)
    failing.fail(new Error('the log is away'))
    await expect(failing.ended).rejects.toThrow('the log is away')
    expect(entered).toEqual(['failing', 'next'])
  })

  it('counts a step that waits for somebody else no more after a quarter of a second, once', async () => {
    const stuck = step('stuck', 200)
    step('next', 150)
    await clock.advance(249)
    expect(entered).toEqual(['stuck'])
    await clock.advance(1)
    expect(entered).toEqual(['stuck', 'next'])
    // Its end makes no room a second time.
    stuck.end()
    await stuck.ended
    step('too much', 100)
    await settled()
    expect(entered).toEqual(['stuck', 'next'])
  })
})
