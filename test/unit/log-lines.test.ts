import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { Refused } from '../../src/adapters/shared/database/functions.ts'
import { inOurWords } from '../../src/adapters/supabase/errors.ts'
import { openEnvironment } from '../../src/app/environment.ts'
import { humanLines } from '../../src/app/log-lines.ts'

const SECRETS = [
  'hunter2',
  'eyJhbGciOiJIUzI1NiJ9.eyJzdWIi.c2ln',
  'sk-proj-0123456789abcdef',
  'ada@shop.example',
  'a red dress',
]

const logged = (fields: object, message = 'it failed') => {
  const lines: string[] = []
  openEnvironment('info', { write: (line) => lines.push(line) }).logger.error(fields, message)
  for (const secret of SECRETS) expect(lines.join(), 'tells a secret').not.toContain(secret)
  return JSON.parse(lines.join()) as Record<string, unknown>
}

/** An error that code of another package made: its first frame is not ours. */
const foreign = (message: string, more: object = {}): Error => {
  const error = Object.assign(new Error(message), more)
  error.stack = `Error: ${message}\n    at Parser.parse (file:///app/node_modules/driver/index.js:1:2)`
  return error
}

describe('a line of the log', () => {
  it('has time, level, words and fields as JSON', () => {
    expect(logged({ requestId: 'req_1', sessionId: 's-1' })).toEqual({
      level: 'error',
      time: expect.stringMatching(/^\d{4}-.*Z$/) as string,
      requestId: 'req_1',
      sessionId: 's-1',
      msg: 'it failed',
    })
  })

  it.each([
    ['a signed URL', 'https://x.example/a.jpg?token=eyJhbGciOiJIUzI1NiJ9.eyJzdWIi.c2ln#a', 'https://x.example/a.jpg'],
    ['a URL with a password', 'at redis://default:hunter2@cache:6379/0 now', 'at redis://cache:6379/0 now'],
    ['a password with an @', 'postgres://ada:p@hunter2@db/books', 'postgres://db/books'],
    ['a bearer', 'Authorization: Bearer hunter2hunter2', 'Authorization: Bearer [key]'],
    ['a key', 'key sk-proj-0123456789abcdef refused', 'key [key] refused'],
    ['a token', 'with eyJhbGciOiJIUzI1NiJ9.eyJzdWIi.c2ln', 'with [key]'],
    ['a setting', 'password=hunter2, next', 'password=[secret], next'],
    ['a JSON setting', '{"api_key":"hunter2"}', '{"api_key":"[secret]"}'],
    ['an address of a person', 'refund of ada@shop.example', 'refund of [address]'],
  ])('keeps %s to itself', (_, text, shown) => {
    expect(logged({ text })['text']).toBe(shown)
  })
})

describe('an error in the log', () => {
  it('has our own words, where it was made, and its causes', () => {
    const cause = inOurWords('wearon_look', Object.assign(new Error('a red dress'), { name: 'TimeoutError' }))
    const { error } = logged({ error: foreign('a red dress', { cause }) })
    expect(error).toEqual({
      type: 'Error',
      stack: '    at Parser.parse (file:///app/node_modules/driver/index.js:1:2)',
      causes: [
        {
          type: 'SupabaseError',
          code: 'timed_out',
          message: 'wearon_look: Supabase did not answer in time',
          stack: expect.stringContaining('errors.ts') as string,
        },
      ],
    })
  })

  it.each([
    ['of another package', foreign('400 a red dress is not allowed')],
    ['of a text that is no JSON', caught(() => JSON.parse('a red dress'))],
    [
      'with fields beside',
      foreign('x', { command: { args: ['a red dress'] }, detail: 'a red dress', body: 'a red dress' }),
    ],
    ['of a value that the database refuses', new Refused('22P02', 'invalid input: "a red dress"')],
    [
      'whose message looks like a frame of ours',
      foreign(`x\n    at f (${import.meta.url.replace('test', 'src')}:1:2)\na red dress`),
    ],
    ['of several', new AggregateError([foreign('a red dress')], 'a red dress')],
    ['in a chain without an end', endless()],
    ['that is none', { message: 'a red dress' }],
  ])('keeps to itself what it says: one %s', (_, error) => {
    expect(JSON.stringify(logged({ error }))).not.toContain('a red dress')
  })

  it.each([
    ['the system', foreign('connect ECONNREFUSED 127.0.0.1:5432', { code: 'ECONNREFUSED' }), 'connect ECONNREFUSED'],
    ['the database about its schema', foreign('column "x" does not exist', { code: '42703' }), 'column "x"'],
    ['a schema', z.object({ url: z.string() }).safeParse({}).error, 'url: Invalid input'],
    ['Redis', Object.assign(foreign('OOM command not allowed'), { name: 'ReplyError' }), '"code":"OOM"'],
  ])('tells what %s says', (_, error, words) => {
    expect(logged({ error })['error']).toSatisfy((shown) =>
      JSON.stringify(shown).replaceAll('\\"', '"').includes(words),
    )
  })

  it('is read at a terminal with its causes', () => {
    const lines: string[] = []
    const { logger } = openEnvironment(
      'info',
      humanLines((line) => lines.push(line)),
    )
    logger.error({ error: foreign('a', { cause: foreign('b', { code: 'E_B' }) }), loop: 'archive' }, 'it failed')
    expect(lines.join('')).toMatch(/ERROR it failed loop=archive\nError\n {4}at .*\n {2}Error: E_B\n {6}at/)
  })
})

function caught(work: () => unknown): unknown {
  try {
    return work()
  } catch (error) {
    return error
  }
}

function endless(): Error {
  const error = foreign('a red dress')
  error.cause = error
  return error
}
