import fc from 'fast-check'
import { expect, test } from 'vitest'
import { parseMessage } from '../../../src/events/command.ts'
import { GenerationTask } from '../../../src/events/task.ts'
import { canonicalBytes, fingerprintOf } from '../../../src/http/accepted.ts'

const id = fc.uuid()
const wire = fc
  .record({
    task_id: fc.string({ minLength: 1, maxLength: 50, unit: 'grapheme' }),
    session_id: fc.oneof(
      id,
      id.map((one) => one.toUpperCase()),
    ),
    image_urls: fc.array(fc.webUrl(), { minLength: 1, maxLength: 10 }),
    prompt: fc.option(fc.string({ unit: 'grapheme' })),
    request_id: fc.string({ minLength: 1, maxLength: 50 }),
    created_at: fc.option(
      fc.date({ noInvalidDate: true, min: new Date(0), max: new Date(4e12) }).map((at) => at.toISOString()),
    ),
    owner: fc.oneof(
      id.map((store_id) => ({ channel: 'b2b', store_id, user_id: '' })),
      id.map((user_id) => ({ channel: 'b2c', user_id, store_id: null })),
    ),
  })
  .map(({ owner, ...rest }) => ({ ...rest, ...owner }))

test('what is published says the same as what was posted', () => {
  fc.assert(
    fc.property(wire, (posted) => {
      const task = GenerationTask.parse(posted)
      expect(parseMessage(canonicalBytes(task), 'http')).toEqual({
        command: 'generation.request',
        sessionId: task.sessionId,
        task,
        source: 'http',
      })
    }),
  )
})

test('bodies that say the same have the same fingerprint, and only they', () => {
  const fingerprint = (posted: object) => fingerprintOf(canonicalBytes(GenerationTask.parse(posted)))
  fc.assert(
    fc.property(wire, wire, (posted, other) => {
      const turned = Object.fromEntries(Object.entries({ ...posted, unknown: 1 }).toReversed())
      expect(fingerprint(turned)).toBe(fingerprint(posted))
      expect(fingerprint(other) === fingerprint(posted)).toBe(JSON.stringify(other) === JSON.stringify(posted))
    }),
  )
})
