import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { SupabaseError } from '../../src/adapters/supabase/errors.ts'
import { openSupabaseObjects } from '../../src/adapters/supabase/objects.ts'
import { objectsContract } from '../contracts/objects.ts'
import { realClock } from '../support/clock.ts'
import { quietEnvironment } from '../support/environment.ts'
import { BAD_GATEWAY, type StorageFault, type StorageServer, startStorage } from '../support/storage-server.ts'
import { doubledObjects, realObjects } from '../support/storage-world.ts'

/**
 * The suite runs against the double, or against a real project: SUPABASE_URL and SUPABASE_SERVICE_ROLE_KEY name one that has
 * the bucket. What it stores there, below a folder of its own, it removes.
 */
const { SUPABASE_URL: realUrl, SUPABASE_SERVICE_ROLE_KEY: realKey } = process.env

if (realUrl !== undefined && realKey !== undefined) {
  objectsContract('supabase', () => realObjects({ url: realUrl, key: realKey }))
} else {
  objectsContract('supabase', () => doubledObjects({ pageMax: 3 }))
  objectsContract('supabase, whose errors have no code', () => doubledObjects({ withCode: false }))
}

const PATH = 'generated/u/1.jpg'
const JPEG = Buffer.from('ffd8ffe0', 'hex')
const HOUR_MS = 3_600_000
const times = (count: number, fault: StorageFault) => Array.from({ length: count }, () => fault)
const refusalOf = async (call: Promise<unknown>): Promise<SupabaseError> => {
  const error = await call.then(
    () => null,
    (reason: unknown) => reason,
  )
  expect(error).toBeInstanceOf(SupabaseError)
  return error as SupabaseError
}

describe('objects in Supabase Storage', () => {
  let server: StorageServer
  const failures: string[] = []
  const env = quietEnvironment({ ...realClock, sleep: async () => undefined })
  const counting = {
    ...env,
    meter: {
      ...env.meter,
      count: (_: string, { code = '' }: Record<string, string> = {}) => void failures.push(code),
    },
  }
  const open = (key: string, limits = { uploadMs: 2_000, callMs: 2_000 }) =>
    openSupabaseObjects({ url: server.url, key }, { env: counting, limits })
  const store = () => open(server.keys.secret)

  beforeAll(async () => {
    server = await startStorage()
  })
  afterEach(async () => {
    server.recover()
    await store().remove([PATH])
    failures.length = 0
  })
  afterAll(() => server.close())

  test('works with either kind of key of the service role, a new one never as a bearer', async () => {
    for (const key of [server.keys.secret, server.keys.service]) {
      await open(key).check()
      expect(server.requests.at(-1)?.headers['apikey']).toBe(key)
    }
    expect(server.requests.at(-1)?.headers.authorization).toBe(`Bearer ${server.keys.service}`)
    expect(server.requests.at(-2)?.headers.authorization).toBeUndefined()
  })

  test('sends the image with its type and how long caches may keep it, and asks for no overwriting', async () => {
    await store().put(PATH, JPEG, {})
    expect(server.requests.at(-1)?.headers['x-upsert']).toBe('false')
    const { url } = await store().sign(PATH, HOUR_MS)
    expect((await fetch(url)).headers.get('content-type')).toBe('image/jpeg')
  })

  test.each<[string, StorageFault]>([
    ['is lost', 'lose_answer'],
    ['breaks off', 'half_answer'],
  ])('an upload whose acknowledgement %s is found to be its own', async (_, fault) => {
    server.fail(fault)
    expect(await store().put(PATH, JPEG, { mine: true })).toBe('stored')
    expect(failures).toEqual(['interrupted'])
    expect(await store().put(PATH, JPEG, { mine: false })).toBe('exists')
    expect(await store().find(PATH)).toEqual({ mine: true })
  })

  test('takes what the old worker left, without metadata of ours, for an image', async () => {
    const form = new FormData()
    form.append('', new Blob([JPEG], { type: 'image/jpeg' }))
    const headers = { apikey: server.keys.secret }
    await fetch(`${server.url}/storage/v1/object/virtual-tryon-images/${PATH}`, { method: 'POST', headers, body: form })
    expect(await store().find(PATH)).toEqual({})
    expect(await store().put(PATH, JPEG, { n: 1 })).toBe('exists')
  })

  test.each<[string, StorageFault, string]>([
    ['a proxy in front of a dead service', BAD_GATEWAY, 'failed'],
    ['a service that failed', { status: 500, body: '{"statusCode":"500","error":"Internal","message":"x"}' }, 'failed'],
    ['a database out of reach', { status: 544, body: '{"statusCode":"544","error":"DatabaseTimeout"}' }, 'failed'],
    [
      'a lock that was not given',
      { status: 400, body: '{"statusCode":"503","error":"acquiring_lock_timeout"}' },
      'failed',
    ],
    ['too many calls', { status: 429, body: '{"statusCode":"429","code":"SlowDown"}' }, 'throttled'],
    ['a lost answer', 'lose_answer', 'interrupted'],
    ['half an answer', 'half_answer', 'interrupted'],
  ])('survives %s that passes, and counts it', async (_, fault, code) => {
    const uploaded = async () => {
      server.fail(...times(2, fault))
      return store().put(PATH, JPEG, { n: 1 })
    }
    expect(await uploaded()).toBe('stored')
    for (const call of [() => store().find(PATH), () => store().sign(PATH, HOUR_MS), () => store().check()]) {
      server.fail(fault)
      await call()
    }
    expect(failures).toEqual(times(5, code as StorageFault))
  })

  test.each<[string, StorageFault, string]>([
    ['a proxy that stays', BAD_GATEWAY, 'failed'],
    ['answers that never come', 'hang', 'timed_out'],
    ['another server', { status: 200, body: '<html>hello</html>' }, 'unreadable'],
    ['JSON of something else', { status: 200, body: '[1, "x"]' }, 'unreadable'],
    ['nothing at all', { status: 200, body: 'null' }, 'unreadable'],
    ['an endless answer', { status: 200, body: ' '.repeat(5_000_000) }, 'unreadable'],
    ['another server that knows no such path', { status: 404, body: '<html>not found</html>' }, 'unreadable'],
    ['a redirect', { status: 301, headers: { Location: 'https://elsewhere.example' } }, 'redirected'],
    ['a bucket with a limit', { status: 400, body: '{"statusCode":"413","error":"Payload too large"}' }, 'too_large'],
    ['a bucket for other files', { status: 400, body: '{"statusCode":"415","code":"InvalidMimeType"}' }, 'unexpected'],
  ])('gives %s a code, and tells nothing that it should not', async (_, fault, code) => {
    const quick = open(server.keys.secret, { uploadMs: 50, callMs: 50 })
    const calls = [
      () => quick.put(PATH, JPEG, {}),
      () => quick.find(PATH),
      () => quick.sign(PATH, HOUR_MS),
      () => quick.remove([PATH]),
      () => quick.check(),
      async () => Array.fromAsync(quick.list('generated/')),
    ]
    for (const call of calls) {
      server.fail(...times(5, fault))
      const error = await refusalOf(call())
      server.recover()
      expect(error.code).toBe(code)
      expect(`${error.stack}${JSON.stringify(error)}`).not.toMatch(new RegExp(`${server.keys.secret}|${PATH}|token=`))
      expect(error.message).not.toContain('http:')
    }
  })

  test('is refused with a key that is not the service role’s, and says which variable to see to', async () => {
    const { anon, publishable, expired } = server.keys
    for (const [key, codes] of [
      [anon, ['not_allowed', 'bucket_missing']],
      [publishable, ['not_allowed', 'bucket_missing']],
      [expired, ['not_allowed', 'bucket_missing']],
      ['sb_secret_unknown', ['key_refused', 'key_refused']],
    ] as const) {
      const errors = [await refusalOf(open(key).put(PATH, JPEG, {})), await refusalOf(open(key).check())]
      expect(errors.map(({ code }) => code)).toEqual(codes)
      for (const error of errors) {
        expect(error.message).toContain('SUPABASE_SERVICE_ROLE_KEY')
        expect(error.message).not.toContain(key)
      }
    }
    expect(failures).toHaveLength(8)
  })

  test('uploads nothing that no image of ours is', async () => {
    const before = server.requests.length
    expect((await refusalOf(store().put(PATH, new Uint8Array(27_000_000), {}))).code).toBe('too_large')
    expect((await refusalOf(store().put(PATH, JPEG, { long: 'x'.repeat(300_000) }))).code).toBe('too_large')
    expect(server.requests).toHaveLength(before)
  })

  test('names a bucket that is missing', async () => {
    const empty = await startStorage()
    empty.dropBucket()
    const objects = openSupabaseObjects({ url: empty.url, key: empty.keys.secret }, { env })
    for (const call of [objects.check(), objects.find(PATH), objects.put(PATH, JPEG, {})]) {
      const { code, message } = await refusalOf(call)
      expect(code).toBe('bucket_missing')
      expect(message).toContain('create virtual-tryon-images')
    }
    await empty.close()
  })

  test('says that nobody answers', async () => {
    const closed = await startStorage()
    await closed.close()
    const objects = openSupabaseObjects({ url: closed.url, key: closed.keys.secret }, { env })
    expect((await refusalOf(objects.check())).code).toBe('unreachable')
  })
})
