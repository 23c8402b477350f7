import { describe, expect, test } from 'vitest'
import { GenerationTask } from '../../../src/events/task.ts'
import {
  bodyFaults,
  Problem,
  type ProblemCode,
  problemBody,
  problemHeaders,
  problems,
} from '../../../src/http/problem.ts'

describe('the table of problems', () => {
  test.each(Object.entries(problems))('%s has a status of an error and a sentence', (_code, { status, detail }) => {
    expect(status).toBeGreaterThanOrEqual(400)
    expect(detail).toMatch(/^[A-Z].*\.$/)
  })

  test.each(Object.keys(problems) as ProblemCode[])('%s tells when to come again where that can help', (code) => {
    const { status } = problems[code]
    const waitHelps = status === 429 || status === 503 || code === 'list_not_paused'
    expect('Retry-After' in problemHeaders(new Problem(code))).toBe(waitHelps)
  })
})

test('a problem says what the table says, and never its cause', () => {
  const problem = new Problem('unavailable', { cause: new Error('password') })
  expect(problemBody(problem, 'r1')).toEqual({
    type: 'urn:wearon:problem:unavailable',
    title: 'unavailable',
    status: 503,
    detail: problems.unavailable.detail,
    code: 'unavailable',
    request_id: 'r1',
  })
})

test('faults of a body point to where they are', () => {
  const read = GenerationTask.safeParse({ image_urls: ['x'] })
  const faults = read.success ? [] : bodyFaults(read.error)
  expect(faults).toContainEqual({ detail: 'image_urls.0: is not an http or https URL', pointer: '#/image_urls/0' })
  expect(faults.map(({ pointer }) => pointer)).toContain('#/session_id')
})
