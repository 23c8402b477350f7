import { describe, expect, it } from 'vitest'
import { PixelReader } from '../../../src/adapters/pose/engine/pixels.ts'

/** A pipe that holds these bytes and gives at most so many at once. */
const pipeOf = (held: number[], most: number) => (bytes: Uint8Array) => {
  const some = held.splice(0, Math.min(most, bytes.length))
  bytes.set(some)
  return some.length
}

describe('the reader of pixels', () => {
  it('reads one picture after the other, in whatever pieces they come', () => {
    const reader = new PixelReader(pipeOf([1, 2, 3, 4, 5, 6, 7, 8], 2))
    expect([...reader.read(5)]).toEqual([1, 2, 3, 4, 5])
    expect([...reader.read(3)]).toEqual([6, 7, 8])
  })

  it('keeps nothing of a picture that it is told to forget', () => {
    const reader = new PixelReader(pipeOf([1, 2, 3, 4, 5], 9))
    const picture = reader.read(4)
    reader.forget()
    expect([...picture]).toEqual([0, 0, 0, 0])
    expect([...reader.read(1)]).toEqual([5])
  })

  it('does not wait for the rest of a picture where the pipe ends', () => {
    expect(() => new PixelReader(pipeOf([1, 2], 9)).read(3)).toThrow('ends too early')
  })
})
