import { describe, expect, it } from 'vitest'
import { gathered } from '../../src/adapters/shared/gathered.ts'

/** Counts round trips, which end when told; an item named `bad` fails the whole trip. */
const trips = ({ itemsMax = 100, tripsMax = 10, waitingMax = 100 } = {}) => {
  const log: string[][] = []
  const held: PromiseWithResolvers<void>[] = []
  const ask = gathered({
    run: async (items: readonly string[]) => {
      log.push([...items])
      const trip = Promise.withResolvers<void>()
      held.push(trip)
      await trip.promise
      if (items.includes('bad')) throw new Error('statement')
      if (items.includes('offline')) throw new Error('connection')
      return items.map((item) => item.toUpperCase())
    },
    itemsMax,
    tripsMax,
    waitingMax,
    isItemsFault: (error) => (error as Error).message === 'statement',
  })
  const turn = () => new Promise(setImmediate)
  const end = async (trip: number) => {
    held[trip]?.resolve()
    await turn()
  }
  return { log, ask, turn, end }
}

describe('gathered questions', () => {
  it('of one turn of the event loop travel together, and each gets its own answer', async () => {
    const { log, ask, turn, end } = trips()
    const answers = Promise.all(['a', 'b', 'c'].map(ask))
    await turn()
    await end(0)
    expect(await answers).toEqual(['A', 'B', 'C'])
    expect(log).toEqual([['a', 'b', 'c']])
  })

  it('do not wait for a round trip before them', async () => {
    const { log, ask, turn, end } = trips()
    const slow = ask('slow')
    await turn()
    const quick = ask('quick')
    await turn()
    await end(1)
    expect(await quick).toBe('QUICK')
    await end(0)
    expect(await slow).toBe('SLOW')
    expect(log).toEqual([['slow'], ['quick']])
  })

  it('are refused at once where too many wait, and those that wait are served', async () => {
    const { ask, turn, end } = trips({ waitingMax: 2 })
    const answers = Promise.allSettled(['a', 'b', 'c'].map(ask))
    await turn()
    await end(0)
    expect(await answers).toMatchObject([{ value: 'A' }, { value: 'B' }, { reason: { name: 'TooManyWaiting' } }])
  })

  it('keep to the limit of a round trip', async () => {
    const { log, ask, turn, end } = trips({ itemsMax: 2 })
    const answers = Promise.all(['a', 'b', 'c'].map(ask))
    await turn()
    await Promise.all([end(0), end(1)])
    expect(await answers).toEqual(['A', 'B', 'C'])
    expect(log).toEqual([['a', 'b'], ['c']])
  })

  it('fill the next round trip while as many as may be are under way', async () => {
    const { log, ask, turn, end } = trips({ tripsMax: 1 })
    const first = ask('a')
    await turn()
    const others = Promise.all(['b', 'c'].map(ask))
    await turn()
    expect(log).toEqual([['a']])
    await end(0)
    await end(1)
    expect(await Promise.all([first, others])).toEqual(['A', ['B', 'C']])
    expect(log).toEqual([['a'], ['b', 'c']])
  })

  it('are tried one by one when one of them is at fault', async () => {
    const { ask, turn, end } = trips()
    const outcomes = Promise.allSettled(['x', 'bad', 'y'].map(ask))
    await turn()
    await end(0)
    await Promise.all([end(1), end(2), end(3)])
    expect((await outcomes).map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
  })

  it('all hear of a connection that broke', async () => {
    const { log, ask, turn, end } = trips()
    const outcomes = Promise.allSettled(['x', 'offline', 'y'].map(ask))
    await turn()
    await end(0)
    expect((await outcomes).map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected'])
    expect(log).toHaveLength(1)
  })
})
