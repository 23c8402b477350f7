import fc from 'fast-check'
import { expect, it } from 'vitest'
import { clipped, text } from '../../../src/events/text.ts'

it('clips whatever was said to a text that every store can keep, also in the middle of a pair', () => {
  expect(clipped('ab😀', 3)).toBe('ab\uFFFD')
  expect(clipped('a\0b', 9)).toBe('ab')
  // Of UTF-16 units, halves of pairs among them. All code points would cost seconds: the generator lists them first.
  const unit = fc.oneof(fc.integer({ min: 0, max: 0xffff }), fc.integer({ min: 0xd800, max: 0xdfff }), fc.constant(0))
  const said = fc.array(unit, { maxLength: 40 }).map((units) => String.fromCharCode(...units))
  fc.assert(fc.property(said, fc.nat(20), (all, max) => text(max).safeParse(clipped(all, max)).success))
})
