import { request } from 'node:http'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { HttpLimits } from '../../src/http/parts.ts'
import { realClock } from '../support/clock.ts'
import { eventually } from '../support/eventually.ts'
import { failed, refundRequested, requested } from '../support/facts.ts'
import { bearer, makeKey } from './http-keys-world.ts'
import { json, newSession, openWorld, taskOf, type World } from './http-world.ts'

const TOKEN = 'the-token-of-the-data-folder'

let world: World
beforeEach(async () => {
  world = await openWorld({ operatorToken: TOKEN })
})
afterEach(() => world.close(0))

const reopen = async (changes: Parameters<typeof openWorld>[0]) => {
  await world.close(0)
  world = await openWorld(changes)
}
const limited = (limits: Partial<HttpLimits>) => reopen({ limits })

/** A request with any headers: `fetch` sets Host itself. Answers status, code and headers. */
const raw = (path: string, headers: Record<string, string> = {}, method = 'GET') =>
  new Promise<{ status: number | undefined; code: string | undefined; headers: Record<string, unknown> }>(
    (resolve, reject) => {
      const asked = request({ host: '127.0.0.1', port: world.port, path, method, headers }, (response) => {
        let text = ''
        response.setEncoding('utf8').on('data', (part: string) => (text += part))
        response.on('end', () => {
          const code = /"code":"(?<code>\w+)"/.exec(text)?.groups?.['code']
          resolve({ status: response.statusCode, code, headers: response.headers })
        })
      })
      asked.on('error', reject).end()
    },
  )
const outcomeOf = async (answer: ReturnType<typeof raw>) => {
  const { status, code } = await answer
  return [status, code]
}

describe('without any key', () => {
  test.each(['localhost:8000', '127.0.0.1', '[::1]:8000', 'LOCALHOST', '127.9.9.9:80'])(
    'this machine is let in as %s',
    async (host) => {
      expect(await outcomeOf(raw('/v1/generations', { host }))).toEqual([200, undefined])
    },
  )

  test.each([
    'evil.example',
    'localhost.evil.example',
    '127.0.0.1.nip.io',
    '10.0.0.1',
    'a b',
    '127.0.0.1@evil.example:80',
  ])('a page that gave its name %s this address is not', async (host) => {
    expect(await outcomeOf(raw('/v1/generations', { host }))).toEqual([403, 'host_refused'])
    expect(await outcomeOf(raw('/health', { host }))).toEqual([200, undefined])
  })

  test.each([
    { 'x-forwarded-for': '127.0.0.1' },
    { forwarded: 'for=127.0.0.1' },
    { 'x-real-ip': '127.0.0.1' },
    { via: '1.1 proxy' },
  ])('whoever comes through a proxy of this machine is not let in: %o', async (headers) => {
    const { status, code, headers: answered } = await raw('/v1/generations', headers)
    expect([status, code, answered['www-authenticate']]).toEqual([401, 'key_missing', 'Bearer realm="wearon"'])
  })

  test('a key that is none is refused rather than overlooked', async () => {
    expect(await outcomeOf(raw('/v1/generations', bearer('letmein')))).toEqual([401, 'key_refused'])
  })
})

describe('the token of the data folder', () => {
  test('lets the operator of this machine in once there are keys, and nobody from elsewhere', async () => {
    await makeKey(world)
    expect(await outcomeOf(raw('/v1/keys'))).toEqual([401, 'key_missing'])
    expect(await outcomeOf(raw('/v1/keys', bearer(TOKEN)))).toEqual([200, undefined])
    expect(await outcomeOf(raw('/v1/keys', { ...bearer(TOKEN), 'x-forwarded-for': '10.0.0.1' }))).toEqual([
      401,
      'key_refused',
    ])
    expect(await outcomeOf(raw('/v1/keys', bearer(`${TOKEN}x`)))).toEqual([401, 'key_refused'])
  })
})

describe('pages of other sites', () => {
  test.each([
    [{ 'sec-fetch-site': 'cross-site' }, 403],
    [{ 'sec-fetch-site': 'same-site' }, 403],
    [{ origin: 'https://evil.example' }, 403],
    [{ origin: 'null' }, 403],
    [{ origin: 'http://localhost:8001', host: 'localhost:8000' }, 403],
    [{ origin: 'http://localhost:8000', host: 'localhost:8000' }, 404],
    [{ origin: 'http://127.0.0.1:8000' }, 404],
    [{ 'sec-fetch-site': 'same-origin', origin: 'http://localhost:1' }, 404],
    [{ 'sec-fetch-site': 'none' }, 404],
    [{}, 404],
  ])('change nothing: %o', async (headers, status) => {
    expect((await raw(`/v1/keys/${'0'.repeat(16)}`, headers, 'DELETE')).status).toBe(status)
  })

  test('are allowed nothing by CORS', async () => {
    const asked = { origin: 'https://evil.example', 'access-control-request-method': 'POST' }
    for (const method of ['OPTIONS', 'GET']) {
      const { headers } = await raw('/v1/generations', asked, method)
      expect(Object.keys(headers).filter((name) => name.startsWith('access-control'))).toEqual([])
    }
  })
})

describe('a key', () => {
  const create = (body: object, headers = {}) =>
    fetch(`${world.url}/v1/keys`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify(body),
    })

  test('is made, shown once, used, listed without its secret, and revoked at once', async () => {
    const made = await create({ name: 'ops', scopes: ['operate', 'read'] })
    const { key, id } = await json(made)
    expect([made.status, key]).toEqual([201, expect.stringMatching(/^wk_[0-9a-f]{16}_[\w-]{43}$/)])
    const text = await (await world.get('/v1/keys', bearer(String(key)))).text()
    expect(text).not.toContain(String(key).slice(20))
    expect(JSON.stringify(await world.store.apiKeys.list(9))).not.toContain(String(key).slice(20))
    await eventually(async () => expect((await world.store.apiKeys.find(String(id)))?.lastUsedAt).not.toBeNull())
    const revoked = await world.send('DELETE', `/v1/keys/${String(id)}`, bearer(String(key)))
    expect([revoked.status, (await json(revoked))['revoked_at']]).toEqual([200, expect.any(String)])
    expect((await world.get('/v1/keys', bearer(String(key)))).status).toBe(401)
    expect(await world.metrics()).toContain('wearon_api_keys_refused_total{reason="revoked"} 1')
    expect(world.lines.map((line) => JSON.stringify(line)).join()).not.toContain(String(key).slice(20))
  })

  test('of one store can hold no scope of the whole service, and nothing senseless is made', async () => {
    const store = '0190b5f8-0000-7000-8000-00000000000a'
    for (const body of [
      { name: 'x', scopes: ['operate'], store },
      { name: 'x', scopes: ['read'], store, user: store },
      { name: 'x', scopes: [] },
      { name: 'x', scopes: ['everything'] },
      { name: '', scopes: ['read'] },
      { name: 'x', scopes: ['read'], store: 'mine' },
      { name: 'x', scopes: ['read'], expires_at: '2020-01-01' },
      { name: 'x', scopes: ['read'], secret: 'mine' },
    ])
      expect([body, (await create(body)).status]).toEqual([body, 400])
    expect(await world.store.apiKeys.any()).toBe(false)
    expect(await json(await create({ name: 'shop', scopes: ['read'], store: store.toUpperCase() }))).toMatchObject({
      tenant: `store:${store}`,
    })
  })

  test('that another process revoked ends within its cache, and so does a stream that was opened with it', async () => {
    await limited({ keyCacheMs: 150 })
    const { id, key } = await makeKey(world)
    const stream = await world.get('/v1/events', bearer(key))
    expect(stream.status).toBe(200)
    const ended = (stream.body ?? new ReadableStream()).pipeTo(new WritableStream()).then(
      () => 'ended',
      () => 'ended',
    )
    await world.store.apiKeys.revoke(id, new Date().toISOString())
    await eventually(async () => expect((await world.get('/v1/generations', bearer(key))).status).toBe(401))
    expect(await ended).toBe('ended')
  })

  test('that has expired meanwhile is refused without another lookup', async () => {
    let nowMs = Date.now()
    await reopen({ env: { ...world.parts.env, clock: { ...realClock, now: () => nowMs } } })
    const { key } = await makeKey(world, { expiresAt: new Date(nowMs + 1_000).toISOString() })
    expect((await world.get('/v1/generations', bearer(key))).status).toBe(200)
    nowMs += 1_001
    expect((await world.get('/v1/generations', bearer(key))).status).toBe(401)
  })

  test('is asked for again, as 503, while the database does not answer', async () => {
    const down = async () => {
      throw new Error('password of admin')
    }
    const { keys } = world.parts
    await reopen({ keys: { ...keys, find: down, any: down } })
    const answers = [
      await world.get('/v1/generations'),
      await world.get('/v1/generations', bearer(`wk_${'0'.repeat(16)}_${'a'.repeat(43)}`)),
    ]
    for (const answer of answers) {
      expect(answer.status).toBe(503)
      expect(await answer.text()).not.toContain('password')
    }
  })
})

describe('who acted', () => {
  test('is the key, whatever the body says; without one the body says it', async () => {
    const id = newSession()
    await world.happen(id, requested(), failed('internal', 0), refundRequested())
    await world.project()
    const retry = (body: object, headers = {}) =>
      fetch(`${world.url}/v1/refunds/${id}/retry`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...headers },
        body: JSON.stringify(body),
      })
    const nobody = await retry({})
    expect([nobody.status, (await json(nobody))['errors']]).toEqual([
      400,
      [{ detail: 'by: is needed without a key', pointer: '#/by' }],
    ])
    await retry({ by: 'ada' }, { 'x-request-id': 'req-ada' })
    const { key } = await makeKey(world, { name: 'finance team', scopes: ['finance', 'operate'] })
    await retry({ by: 'mallory' }, bearer(key))
    await retry({}, bearer(key))
    const senders = world.published().map((command) => 'by' in command && command.by)
    expect(senders).toEqual(['ada', 'finance team', 'finance team'].map((name) => ({ role: 'operator', name })))
    const audit = await json(await world.get('/v1/audit?action=refund', bearer(key)))
    expect(audit['items']).toMatchObject([
      { actor: 'finance team', target: id, detail: {}, outcome: 'done' },
      { actor: 'finance team', detail: { by: 'mallory' }, outcome: 'done' },
      { actor: 'loopback', key_id: null, detail: { by: 'ada' }, request_id: 'req-ada', outcome: 'done' },
      { actor: 'loopback', detail: {}, outcome: 'invalid_request' },
    ])
  })

  test('is written down before it is done: without the audit nothing is', async () => {
    const { audit } = world.parts
    const begin = async () => {
      throw new Error('disk full')
    }
    await reopen({ audit: { ...audit, begin } })
    const answer = await fetch(`${world.url}/v1/keys`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ name: 'x', scopes: ['read'] }),
    })
    expect(answer.status).toBe(503)
    expect(await world.store.apiKeys.any()).toBe(false)
  })
})

describe('limits', () => {
  test('a key has its share of requests, and says what is left of it', async () => {
    await limited({ keyRequestsPerMinute: 3 })
    const [one, other] = [await makeKey(world), await makeKey(world)]
    const answers = []
    for (let count = 0; count < 4; count++) answers.push(await world.get('/v1/generations', bearer(one.key)))
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 429])
    expect(answers.map(({ headers }) => headers.get('ratelimit'))).toEqual([
      '"key";r=2;t=20',
      expect.stringMatching(/^"key";r=1;t=\d+$/),
      expect.stringMatching(/^"key";r=0;t=\d+$/),
      expect.stringMatching(/^"key";r=0;t=\d+$/),
    ])
    const last = answers.at(-1)
    expect(last?.headers.get('ratelimit-policy')).toBe('"key";q=3;w=60')
    expect(Number(last?.headers.get('retry-after'))).toBeGreaterThan(0)
    expect(await json(last as Response)).toMatchObject({ code: 'rate_limited' })
    expect((await world.get('/v1/generations', bearer(other.key))).status).toBe(200)
    expect(await world.metrics()).toContain('wearon_http_rate_limited_total{share="key"} 1')
  })

  test('an address without a good key has its share; good keys and open paths at the same address go on', async () => {
    await limited({ addressRequestsPerMinute: 3 })
    const { key } = await makeKey(world)
    const good = async () => (await world.get('/v1/generations', bearer(key))).status
    const stranger = async (n: number) =>
      (await world.get('/v1/generations', bearer(`wk_${String(n).padStart(16, '0')}_${'a'.repeat(43)}`))).status
    expect(await good()).toBe(200)
    expect([await stranger(900), await stranger(901), await stranger(902), await stranger(903)]).toEqual([
      401, 401, 429, 429,
    ])
    expect((await world.get('/v1/generations')).status).toBe(429)
    for (let count = 0; count < 5; count++) expect(await good()).toBe(200)
    for (const path of ['/health', '/metrics', '/livez']) {
      for (let count = 0; count < 5; count++) {
        const open = await world.get(path)
        expect([path, open.status, open.headers.get('ratelimit')]).toEqual([path, 200, null])
      }
    }
  })

  test('counts the address that a trusted proxy tells of, and no other', async () => {
    await reopen({ trustedProxies: ['loopback'], limits: { addressRequestsPerMinute: 1 } })
    await makeKey(world)
    const from = async (address: string) => (await raw('/v1/generations', { 'x-forwarded-for': address })).status
    expect([await from('203.0.113.1'), await from('203.0.113.1'), await from('203.0.113.2')]).toEqual([401, 429, 401])
    // One line has a /64 of IPv6.
    expect([await from('2001:db8::1'), await from('2001:db8::2'), await from('2001:db8:0:1::1')]).toEqual([
      401, 429, 401,
    ])
    await reopen({ limits: { addressRequestsPerMinute: 1 } })
    await makeKey(world)
    expect([await from('203.0.113.1'), await from('203.0.113.2')]).toEqual([401, 429])
  })

  test('a body is not read before its sender is known', async () => {
    await makeKey(world)
    const huge = taskOf({ prompt: 'x'.repeat(1_000_000) })
    expect((await world.post(huge)).status).toBe(401)
    const { key } = await makeKey(world, { scopes: ['publish'] })
    expect((await world.post(huge, bearer(key))).status).toBe(413)
    expect((await world.post(taskOf(), { ...bearer(key), 'content-type': 'text/plain' })).status).toBe(415)
  })
})
