import { expect, it } from 'vitest'
import { lanes } from '../../src/adapters/redis/lanes.ts'

/** Answers for all partitions but 0, whose node is away. */
const calling = (together: boolean) => {
  const trips: number[][] = []
  const call = lanes(together, {
    run: async (items: readonly { readonly partition: number }[]) => {
      trips.push(items.map(({ partition }) => partition))
      if (items.some(({ partition }) => partition === 0)) await new Promise(() => undefined)
      return items.map(({ partition }) => partition)
    },
    weigh: () => 1,
    weightMax: 10,
    itemsMax: 10,
    isItemsFault: () => false,
  })
  return { trips, call }
}

it('on a cluster no partition waits for one whose node does not answer', async () => {
  const { trips, call } = calling(false)
  void call({ partition: 0 })
  const others = [call({ partition: 1 }), call({ partition: 2 }), call({ partition: 1 })]
  expect(await Promise.all(others)).toEqual([1, 2, 1])
  expect(trips).toEqual([[0], [1, 1], [2]])
})

it('on a single node all partitions travel together', async () => {
  const { trips, call } = calling(true)
  await Promise.all([call({ partition: 1 }), call({ partition: 2 })])
  expect(trips).toEqual([[1, 2]])
})
