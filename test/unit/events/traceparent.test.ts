import { expect, it } from 'vitest'
import { GivenTraceparent } from '../../../src/events/traceparent.ts'

const trace = '0af7651916cd43dd8448eb211c80319c'
const span = 'b7ad6b7169203331'

it.each([
  ['a sampled one', `00-${trace}-${span}-01`],
  ['one that is not sampled', `00-${trace}-${span}-00`],
])('takes %s', (_, given) => {
  expect(GivenTraceparent.parse(given)).toBe(given)
})

it.each([
  ['nothing', undefined],
  ['a number', 7],
  ['another version', `01-${trace}-${span}-01`],
  ['capitals', `00-${trace.toUpperCase()}-${span}-01`],
  ['a trace of zeros', `00-${'0'.repeat(32)}-${span}-01`],
  ['a parent of zeros', `00-${trace}-${'0'.repeat(16)}-01`],
  ['more behind it', `00-${trace}-${span}-01-extra`],
])('passes over %s without refusing anything', (_, given) => {
  expect(GivenTraceparent.parse(given)).toBeUndefined()
})
