import { describe, expect, it } from 'vitest'
import { grouped } from '../../src/adapters/shared/grouped.ts'

/** Counts round trips; an item named `bad` fails the whole trip, as one wrong row fails a statement. */
const trips = (limits: { weightMax?: number; itemsMax?: number; waitingMax?: number } = {}) => {
  const log: string[][] = []
  const call = grouped({
    run: async (items: readonly string[]) => {
      log.push([...items])
      await new Promise(setImmediate)
      if (items.includes('bad')) throw new Error('statement')
      if (items.includes('offline')) throw new Error('connection')
      return items.map((item) => item.toUpperCase())
    },
    weigh: (item) => item.length,
    weightMax: 100,
    itemsMax: 100,
    keyOf: (item) => item[0],
    isItemsFault: (error) => (error as Error).message === 'statement',
    ...limits,
  })
  return { log, call }
}

describe('grouped calls', () => {
  it('share the next round trip while one runs, and each gets its own answer', async () => {
    const { log, call } = trips()
    const first = call('a')
    await new Promise(setImmediate)
    expect(await Promise.all([first, call('b'), call('c')])).toEqual(['A', 'B', 'C'])
    expect(log).toEqual([['a'], ['b', 'c']])
  })

  it('of one key go one after the other, in order', async () => {
    const { log, call } = trips()
    await Promise.all(['a1', 'a2', 'b1', 'a3'].map(call))
    expect(log).toEqual([['a1', 'b1'], ['a2'], ['a3']])
  })

  it('keep to the limits, and one that is beyond them goes alone', async () => {
    const { log, call } = trips({ weightMax: 3, itemsMax: 2 })
    await Promise.all(['a', 'b', 'c', 'dddddd', 'e'].map(call))
    expect(log).toEqual([['a', 'b'], ['c', 'e'], ['dddddd']])
  })

  it('are refused at once where too many wait, and those that wait are served', async () => {
    const { log, call } = trips({ waitingMax: 2 })
    const outcomes = await Promise.allSettled(['a', 'b', 'c'].map(call))
    expect(outcomes).toMatchObject([{ value: 'A' }, { value: 'B' }, { reason: { name: 'TooManyWaiting' } }])
    expect(log).toEqual([['a', 'b']])
  })

  it('are tried one by one when one of them is at fault', async () => {
    const { call } = trips()
    const outcomes = await Promise.allSettled(['x', 'bad', 'y'].map(call))
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
  })

  it('all hear of a connection that broke', async () => {
    const { log, call } = trips()
    const outcomes = await Promise.allSettled(['x', 'offline', 'y'].map(call))
    expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected'])
    expect(log).toHaveLength(1)
  })
})
