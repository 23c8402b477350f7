import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Heap } from '../../../src/machines/runtime/heap.ts'

describe('a heap', () => {
  it('is empty at first', () => {
    const heap = new Heap<number>((item) => item)
    expect([heap.size, heap.peek(), heap.pop()]).toEqual([0, undefined, undefined])
  })

  it('always gives the lowest first, whatever is put in and taken out in between', () => {
    fc.assert(
      fc.property(fc.array(fc.option(fc.integer({ min: 0, max: 20 }))), (moves) => {
        const heap = new Heap<{ key: number }>(({ key }) => key)
        let model: number[] = []
        for (const key of moves) {
          const least = model[0]
          expect([heap.size, heap.peek()?.key]).toEqual([model.length, least])
          if (key !== null) heap.push({ key })
          const taken = key === null ? heap.pop()?.key : undefined
          expect(taken).toBe(key === null ? least : undefined)
          model = key === null ? model.slice(1) : [...model, key].toSorted((one, other) => one - other)
        }
      }),
      { numRuns: 50 },
    )
  })
})
