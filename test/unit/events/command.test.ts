import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Ask, encodeAsk, MESSAGE_BYTES_MAX, parseMessage } from '../../../src/events/command.ts'
import { operator, runtime, sessionId, store, tenant, user } from '../../support/facts.ts'
import { matching } from '../../support/matching.ts'

const b2b = {
  task_id: 'task-1',
  channel: 'b2b',
  store_id: store.storeId,
  session_id: sessionId,
  image_urls: ['https://images.example/person.jpg?token=1', 'http://images.example/garment.jpg'],
  prompt: 'a red coat',
  request_id: 'req_1',
  version: 1,
  created_at: '2026-01-15T10:00:00.000Z',
}
const { store_id: _store, ...withoutPayer } = b2b
const b2c = { ...withoutPayer, channel: 'b2c', user_id: user.userId }

const encode = (value: unknown) => Buffer.from(JSON.stringify(value))
const parse = (value: unknown) => parseMessage(encode(value), 'list')

const taskOf = (value: unknown) => {
  const parsed = parse(value)
  if (parsed.command !== 'generation.request') throw new Error(`not taken: ${JSON.stringify(parsed)}`)
  return parsed.task
}

describe('a task', () => {
  it('of a store is read with all that it says', () => {
    expect(parse(b2b)).toEqual({
      command: 'generation.request',
      sessionId,
      source: 'list',
      task: {
        taskId: 'task-1',
        owner: store,
        sessionId,
        imageUrls: b2b.image_urls,
        prompt: 'a red coat',
        requestId: 'req_1',
        createdAt: '2026-01-15T10:00:00.000Z',
      },
    })
  })

  it('of a user is read', () => expect(taskOf(b2c).owner).toEqual(user))

  it.each([
    ['null', { ...b2b, user_id: null }],
    ['empty', { ...b2b, user_id: '' }],
    ['absent', b2b],
  ])('of a store may leave the user %s', (_, task) => expect(taskOf(task).owner).toEqual(store))

  it.each([
    ['null', { ...b2c, store_id: null }],
    ['empty', { ...b2c, store_id: '' }],
  ])('of a user may leave the store %s', (_, task) => expect(taskOf(task).owner).toEqual(user))

  it('may carry fields that nobody knows', () => {
    expect(taskOf({ ...b2b, priority: 7, command: 'generation.cancel', sessionId: 'x' })).toEqual(taskOf(b2b))
  })

  it.each([
    ['absent', { ...b2b, version: undefined }],
    ['null', { ...b2b, version: null }],
  ])('is of version 1 when its version is %s', (_, task) => expect(taskOf(task)).toEqual(taskOf(b2b)))

  it.each([undefined, null, ''])('may leave the prompt out (%j)', (prompt) => {
    expect(taskOf({ ...b2b, prompt }).prompt).toBe('')
  })

  it.each([undefined, null, ''])('may leave its time out (%j)', (time) => {
    expect(taskOf({ ...b2b, created_at: time }).createdAt).toBeNull()
  })

  it('may tell its time in another zone', () => {
    expect(taskOf({ ...b2b, created_at: '2026-01-15T12:00:00+02:00' }).createdAt).toBe('2026-01-15T12:00:00+02:00')
  })

  it('means the same in any letter case of its ids', () => {
    const loud = { ...b2b, session_id: sessionId.toUpperCase(), store_id: store.storeId.toUpperCase() }
    expect({ ...parse(loud), original: null }).toEqual({ ...parse(b2b), original: null })
    expect(taskOf({ ...b2c, user_id: user.userId.toUpperCase() }).owner).toEqual(user)
  })

  it('takes one image, and ten', () => {
    const [url] = b2b.image_urls
    expect(taskOf({ ...b2b, image_urls: [url] }).imageUrls).toHaveLength(1)
    expect(taskOf({ ...b2b, image_urls: Array(10).fill(url) }).imageUrls).toHaveLength(10)
  })
})

describe('a bad task that names its session', () => {
  const [url] = b2b.image_urls
  it.each([
    ['store_id is missing', { ...b2b, store_id: undefined }, /^store_id: is needed for channel b2b$/],
    ['store_id is empty', { ...b2b, store_id: '' }, /^store_id: is needed for channel b2b$/],
    ['user_id is given for a store', { ...b2b, user_id: user.userId }, /^user_id: is not allowed for channel b2b$/],
    ['user_id is missing', { ...b2c, user_id: null }, /^user_id: is needed for channel b2c$/],
    ['store_id is given for a user', { ...b2c, store_id: store.storeId }, /^store_id: is not allowed for channel b2c$/],
    ['store_id is no UUID', { ...b2b, store_id: 'acme' }, /^store_id: is not a UUID$/],
    ['the channel is unknown', { ...b2b, channel: 'fax' }, /^channel: .*"b2b"\|"b2c"/],
    ['the channel is missing', { ...b2b, channel: undefined }, /^channel: /],
    ['the version is unknown', { ...b2b, version: 2 }, /^version: .*expected 1/],
    ['there is no image', { ...b2b, image_urls: [] }, /^image_urls: /],
    ['there are 11 images', { ...b2b, image_urls: Array(11).fill(url) }, /^image_urls: /],
    ['the images are no list', { ...b2b, image_urls: url }, /^image_urls: /],
    ['an image is not on the web', { ...b2b, image_urls: [url, 'file:///etc/passwd'] }, /^image_urls\.1: .*http/],
    ['an image is no URL', { ...b2b, image_urls: ['http://'] }, /^image_urls\.0: .*http/],
    ['a URL has a NUL', { ...b2b, image_urls: [`${url}\0`] }, /^image_urls\.0: .*NUL/],
    ['the prompt has a NUL', { ...b2b, prompt: 'a\0b' }, /^prompt: .*NUL/],
    ['the prompt has half a character', { ...b2b, prompt: 'a\ud83e' }, /^prompt: .*surrogate/],
    ['the prompt is a number', { ...b2b, prompt: 7 }, /^prompt: /],
    ['the prompt is endless', { ...b2b, prompt: 'x'.repeat(10_001) }, /^prompt: /],
    ['task_id is missing', { ...b2b, task_id: undefined }, /^task_id: /],
    ['task_id has half a character', { ...b2b, task_id: '\udc00' }, /^task_id: .*surrogate/],
    ['request_id is empty', { ...b2b, request_id: '' }, /^request_id: /],
    ['its time is no time', { ...b2b, created_at: 'yesterday' }, /^created_at: /],
    ['its time has no zone', { ...b2b, created_at: '2026-01-15T10:00:00' }, /^created_at: /],
  ])('is rejected with one clear line when %s', (_, task, line) => {
    expect(parse(task)).toEqual({ command: 'generation.reject', sessionId, issues: [matching(line)] })
  })

  it('is told all of its faults at once', () => {
    const parsed = parse({ ...b2b, store_id: null, image_urls: [], version: 9 })
    const faults = 'issues' in parsed ? parsed.issues.join('\n') : ''
    expect(faults.match(/^\w+/gm)).toEqual(['image_urls', 'version', 'store_id'])
  })

  it('names its session in lower case', () => {
    expect(parse({ session_id: sessionId.toUpperCase() })).toMatchObject({ command: 'generation.reject', sessionId })
  })
})

describe('a message that nobody can be answered for', () => {
  it.each([
    ['no JSON', Buffer.from('{"session_id":'), 'not JSON'],
    ['empty', Buffer.alloc(0), 'not JSON'],
    ['no UTF-8', Buffer.from([0x7b, 0xff, 0x7d]), 'not UTF-8'],
    ['a list', encode([b2b]), 'not a JSON object'],
    ['null', encode(null), 'not a JSON object'],
    ['a string', encode('task'), 'not a JSON object'],
    ['too large', Buffer.alloc(MESSAGE_BYTES_MAX + 1, ' '), 'larger than 262144 bytes'],
  ])('is poison when it is %s', (_, bytes, reason) => {
    expect(parseMessage(bytes, 'list')).toEqual({ command: 'poison', reason })
  })

  it.each([
    ['absent', { ...b2b, session_id: undefined }],
    ['no UUID', { ...b2b, session_id: 'session-1' }],
    ['a number', { ...b2b, session_id: 1 }],
  ])('is poison when its session is %s', (_, task) => {
    expect(parse(task)).toEqual({ command: 'poison', reason: matching(/^not a task: session_id: /) })
  })

  it('is read up to the limit', () => {
    const bytes = Buffer.alloc(MESSAGE_BYTES_MAX, ' ')
    encode(b2b).copy(bytes)
    expect(parseMessage(bytes, 'list').command).toBe('generation.request')
  })
})

describe('a command of ours', () => {
  it.each<Ask>([
    { command: 'generation.cancel', sessionId, by: tenant(store) },
    { command: 'generation.cancel', sessionId, by: runtime },
  ])('is read as it was written: $command', (ask) => {
    expect(parseMessage(encodeAsk(ask), 'inbox')).toEqual(ask)
  })

  it.each([
    ['an unknown one', { command: 'generation.repeat', sessionId, by: operator }],
    ['one without a sender', { command: 'refund.retry', sessionId }],
    ['one of an operator without a name', { command: 'refund.retry', sessionId, by: { role: 'operator', name: '' } }],
    ['one without a session', { command: 'refund.retry', by: operator }],
    [
      'a settlement without a reason',
      { command: 'refund.settle', sessionId, by: operator, how: 'paid_outside', why: '' },
    ],
    ['a name that cannot be stored', { command: 'refund.retry', sessionId, by: { role: 'operator', name: '\0' } }],
  ])('is poison when it is %s', (_, ask) => {
    expect(parse(ask)).toEqual({ command: 'poison', reason: matching(/^not a command: /) })
  })
})

describe('whatever arrives', () => {
  const words = fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom('\0', '\ud800', 'x\udc00y', 'a red coat'))
  const texts = fc.record({ task_id: words, prompt: words, request_id: words }, { requiredKeys: [] })
  const anyValue = fc.oneof(words, fc.jsonValue(), fc.constantFrom(...Object.values(b2b), ...Object.values(b2c)))
  const oddFields = fc.dictionary(fc.constantFrom(...Object.keys({ ...b2b, ...b2c })), anyValue, { maxKeys: 3 })
  const almostTask = fc
    .tuple(fc.constantFrom(b2b, b2c), fc.oneof(texts, oddFields))
    .map(([task, changes]) => encode({ ...task, ...changes }))
  const message = fc.oneof(
    almostTask,
    fc.json().map((json) => Buffer.from(json)),
    fc.uint8Array(),
  )

  it('is read without an exception, and what is taken can be stored', () => {
    fc.assert(
      fc.property(message, (bytes) => {
        const parsed = parseMessage(bytes, 'list')
        expect(textsIn(parsed).filter((text) => text.includes('\0') || !text.isWellFormed())).toEqual([])
      }),
      { numRuns: 500 },
    )
  })
})

const textsIn = (value: unknown): string[] => {
  if (typeof value === 'string') return [value]
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(textsIn) : []
}

describe('what only this system may ask for', () => {
  const ofRow = { sessionId, by: runtime, owner: user, requestId: null }
  const asks: Ask[] = [
    { command: 'generation.import', ...ofRow, end: 'failed', evidence: '', requestedAt: b2b.created_at },
    { command: 'generation.give_up', ...ofRow },
    { command: 'refund.approve', sessionId, by: operator, why: 'looked at', bulk: false },
    { command: 'refund.retry', sessionId, by: operator },
    { command: 'refund.settle', sessionId, by: operator, how: 'paid_outside', why: 'bank transfer' },
  ]
  it.each(asks)('$command is read as it was written, and is poison from anyone else', (ask) => {
    expect(parseMessage(encodeAsk(ask), 'http')).toEqual(ask)
    for (const source of ['list', 'inbox', 'replay'] as const)
      expect(parseMessage(encodeAsk(ask), source)).toEqual({ command: 'poison', reason: matching(/from outside/) })
  })
})
