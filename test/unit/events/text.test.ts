import fc from 'fast-check'
import { expect, it } from 'vitest'
import { clipped, text } from '../../../src/events/text.ts'

it('clips whatever was said to a text that every store can keep, also in the middle of a pair', () => {
  expect(clipped('ab😀', 3)).toBe('ab\uFFFD')
  expect(clipped('a\0b', 9)).toBe('ab')
  const said = fc.string({ unit: 'binary', maxLength: 40 })
  fc.assert(fc.property(said, fc.nat(20), (all, max) => text(max).safeParse(clipped(all, max)).success))
})
