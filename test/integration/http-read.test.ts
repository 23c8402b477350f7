import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { memoryObjects } from '../../src/adapters/memory/objects.ts'
import { createHttp } from '../../src/http/app.ts'
import { listen } from '../../src/http/listen.ts'
import type { LetterPage } from '../../src/machines/ports/dead-letters.ts'
import { sessions } from '../../src/projections/sessions.ts'
import { cancelled, completed, refundRequested, requested, started, store, waived } from '../support/facts.ts'
import { json, newSession, openWorld, taskOf, type World } from './http-world.ts'

let world: World
beforeEach(async () => {
  world = await openWorld()
})
afterEach(() => world.close(0))

const reopen = async (changes: Parameters<typeof openWorld>[0]) => {
  await world.close(0)
  world = await openWorld(changes)
}
const down = () => Promise.reject(new Error('connection terminated: password of admin'))
interface Sessions {
  readonly items: { session_id: string }[]
  readonly next: string | null
}

const codeOf = async (response: Response) => [response.status, (await json(response))['code']]

describe('GET /v1/generations/:id', () => {
  test('shows a session as the tables know it', async () => {
    const sign = async () => ({ url: 'https://storage/again', expiresAt: '2026-01-15T16:00:00.000Z' })
    await reopen({ images: { sign } })
    const id = newSession()
    await world.happen(id, requested(), started(), completed())
    await world.project()
    const response = await world.get(`/v1/generations/${id}`)
    expect([response.status, response.headers.get('cache-control')]).toEqual([200, 'no-store'])
    expect(await json(response)).toMatchObject({
      session_id: id,
      state: 'completed',
      tenant: `store:${store.storeId}`,
      attempts: 1,
      image_url: 'https://storage/again',
      image_url_expires_at: '2026-01-15T16:00:00.000Z',
      image_state: 'available',
    })
    expect(response.headers.get('retry-after')).toBeNull()
  })

  test('says that the image of a session is deleted, and that of the storage that it does not answer', async () => {
    const id = newSession()
    await world.happen(id, requested(), started(), completed())
    await world.project()
    const gone = { state: 'completed', image_url: null, image_url_expires_at: null, image_state: 'expired' }
    expect(await json(await world.get(`/v1/generations/${id}`))).toMatchObject(gone)
    await reopen({ images: { sign: () => Promise.reject(new Error('down')) } })
    await world.happen(id, requested(), started(), completed())
    await world.project()
    expect(await codeOf(await world.get(`/v1/generations/${id}`))).toEqual([503, 'unavailable'])
  })

  test('tells pollers how often to come while it goes on', async () => {
    const id = newSession()
    await world.post(taskOf({ session_id: id }))
    const response = await world.get(`/v1/generations/${id}`)
    expect(response.headers.get('retry-after')).toBe('2')
    expect(await json(response)).toMatchObject({ state: 'queued', request_id: 'req_1', attempts: 0 })
  })

  test('is 404 for one that nobody accepted, 400 for what is no id', async () => {
    expect(await codeOf(await world.get(`/v1/generations/${newSession()}`))).toEqual([404, 'session_unknown'])
    const response = await world.get('/v1/generations/17')
    expect(response.status).toBe(400)
    expect(await json(response)).toMatchObject({ code: 'invalid_request', errors: [{ detail: 'id: is not a UUID' }] })
  })
})

describe('GET /v1/generations', () => {
  test('pages through sessions by state and tenant', async () => {
    const ids = [newSession(), newSession(), newSession()]
    for (const id of ids) await world.happen(id, requested())
    await world.project()
    const seen: unknown[] = []
    let path: string | null = '/v1/generations?limit=2&state=queued&tenant=store:0190b5f8-0000-7000-8000-00000000000a'
    while (path !== null) {
      const page: Sessions = (await (await world.get(path)).json()) as Sessions
      seen.push(...page.items.map((item) => item.session_id))
      path = page.next === null ? null : `/v1/generations?limit=2&state=queued&cursor=${page.next}`
    }
    expect(new Set(seen)).toEqual(new Set(ids))
    expect(await json(await world.get('/v1/generations?state=failed'))).toEqual({ items: [], next: null })
  })

  test.each(['limit=0', 'limit=201', 'limit=x', 'state=new', 'cursor=abc', 'colour=red', 'limit=1&limit=2', 'tenant='])(
    'refuses ?%s',
    async (query) => {
      const response = await world.get(`/v1/generations?${query}`)
      expect(await codeOf(response)).toEqual([400, 'invalid_request'])
    },
  )
})

describe('GET /v1/generations/:id/facts', () => {
  test('tells what happened, in order; nothing yet for one that is only accepted; 404 for the unknown', async () => {
    const id = newSession()
    await world.post(taskOf({ session_id: id }))
    expect(await json(await world.get(`/v1/generations/${id}/facts`))).toEqual({ items: [] })
    await world.happen(id, requested(), started())
    const { items } = await json(await world.get(`/v1/generations/${id}/facts`))
    expect(items).toMatchObject([
      { seq: 1, type: 'generation.requested' },
      { seq: 2, type: 'generation.started' },
    ])
    expect((await world.get(`/v1/generations/${newSession()}/facts`)).status).toBe(404)
  })
})

describe('what operators look at', () => {
  test('GET /v1/projections says how far behind each is', async () => {
    await world.happen(newSession(), requested())
    await world.project()
    await world.happen(newSession(), requested(), started())
    const { head, items } = await json(await world.get('/v1/projections'))
    expect(head).toBe(3)
    expect(items).toContainEqual({
      name: 'sessions',
      position: 1,
      lag_facts: 2,
      lag_seconds: expect.any(Number) as unknown,
      set_aside: 0,
      gone: 0,
      rebuild: null,
    })
  })

  test('GET /v1/projections says how far a rebuild is, and lists no row of it as a projection', async () => {
    await world.happen(newSession(), requested())
    await world.project()
    const { tables, archive } = world.store
    const [fact] = await archive.read(0, 1)
    await tables.apply('sessions.shadow', 0, 1, fact === undefined ? [] : sessions.patches([fact]))
    const { items } = await json(await world.get('/v1/projections'))
    expect(items).toMatchObject([
      { name: 'sessions', lag_seconds: 0, rebuild: { position: 1, target: 1 } },
      { name: 'refunds', rebuild: null },
    ])
  })

  test('POST /v1/projections/:name/rebuild starts one, once, where this process can', async () => {
    expect(await codeOf(await world.send('POST', '/v1/projections/sessions/rebuild'))).toEqual([
      501,
      'not_in_this_process',
    ])
    let running = false
    const rebuild = async (name: string) => {
      if (name !== 'sessions') return 'unknown'
      if (running) return 'running'
      running = true
      return 'started'
    }
    await reopen({ rebuild })
    expect((await world.send('POST', '/v1/projections/sessions/rebuild')).status).toBe(202)
    expect(await codeOf(await world.send('POST', '/v1/projections/sessions/rebuild'))).toEqual([409, 'rebuild_running'])
    expect(await codeOf(await world.send('POST', '/v1/projections/x/rebuild'))).toEqual([404, 'projection_unknown'])
  })

  test('GET /v1/refunds and /v1/reconciliation show the books', async () => {
    const id = newSession()
    await world.happen(id, requested(), cancelled(), refundRequested(), waived())
    await world.project()
    const { items } = await json(await world.get('/v1/refunds?state=waived'))
    expect(items).toMatchObject([{ session_id: id, state: 'waived', waiver_reason: 'never_charged' }])
    expect(await json(await world.get('/v1/refunds?state=owed'))).toMatchObject({ items: [] })
    expect((await world.get('/v1/refunds?state=lost')).status).toBe(400)
    const summary = await json(await world.get('/v1/reconciliation'))
    expect(Object.keys(summary)).toEqual(
      expect.arrayContaining(['as_of', 'position', 'balanced', 'charged', 'kept', 'given_back', 'owed', 'classes']),
    )
  })

  test('POST /v1/partitions/:partition/repair repairs what is damaged here', async () => {
    expect((await world.send('POST', '/v1/partitions/1/repair')).status).toBe(501)
    const repaired = { partition: 1, common: 4, restored: 2, kept: 1, voided: 0, head: { number: 9, id: 'head' } }
    await reopen({ repair: async (partition) => (partition === 1 ? repaired : null) })
    expect(await json(await world.send('POST', '/v1/partitions/1/repair'))).toEqual(repaired)
    expect(await codeOf(await world.send('POST', '/v1/partitions/2/repair'))).toEqual([409, 'repair_not_possible'])
    expect(await codeOf(await world.send('POST', '/v1/partitions/4/repair'))).toEqual([404, 'partition_unknown'])
    expect((await world.send('POST', '/v1/partitions/-1/repair')).status).toBe(400)
  })

  test.each([
    '/v1/generations',
    '/v1/refunds',
    '/v1/reconciliation',
    '/v1/projections',
    `/v1/generations/${newSession()}`,
  ])('GET %s answers 503 without internals when the store is down', async (path) => {
    const { queries, tables } = world.store
    const broken = { ...queries, session: down, sessions: down, refunds: down, reconciliation: down }
    await reopen({ queries: broken, tables: { ...tables, status: down } })
    const response = await world.get(path)
    expect([response.status, response.headers.get('retry-after')]).toEqual([503, '5'])
    expect(await response.text()).not.toMatch(/password|admin|terminated/)
  })
})

describe('GET /objects/…', () => {
  test('serves what a signed URL names, and nothing else', async () => {
    const objects = memoryObjects(() => Date.now())
    const bytes = Buffer.from([0xff, 0xd8, 0xff, 0xe0, 1, 2])
    await objects.put('stores/a/b.jpg', bytes, {})
    const open = async (path: string, { signature }: { signature?: unknown }) => {
      if (signature !== 'right') return 'forbidden' as const
      const found = await objects.read(path)
      return found === null ? ('gone' as const) : { bytes: found, contentType: 'image/jpeg' }
    }
    await reopen({ objects: { open } })
    const response = await world.get('/objects/stores/a/b.jpg?expires=9&signature=right')
    expect([response.status, response.headers.get('content-type')]).toEqual([200, 'image/jpeg'])
    expect(response.headers.get('cache-control')).toMatch(/^private, max-age=\d+/)
    expect(response.headers.get('x-content-type-options')).toBe('nosniff')
    expect(Buffer.from(await response.arrayBuffer())).toEqual(bytes)
    expect(await codeOf(await world.get('/objects/stores/a/b.jpg?signature=wrong'))).toEqual([403, 'signature_refused'])
    expect(await codeOf(await world.get('/objects/stores/a/c.jpg?signature=right'))).toEqual([404, 'object_gone'])
    expect((await world.get('/objects/%E0%A4%A?signature=right')).status).toBe(400)
    const head = await world.send('HEAD', '/objects/stores/a/b.jpg?expires=9&signature=right')
    expect([head.status, head.headers.get('content-length')]).toEqual([200, '6'])
  })

  test('is no path where another service serves images', async () => {
    expect(await codeOf(await world.get('/objects/a/b.jpg?signature=right'))).toEqual([404, 'route_unknown'])
  })
})

describe('every answer', () => {
  test('has the request id: the client’s when it is sane, a new one otherwise', async () => {
    const own = await world.get('/v1/generations', { 'x-request-id': 'req_from-the-shop' })
    expect(own.headers.get('x-request-id')).toBe('req_from-the-shop')
    for (const odd of ['x'.repeat(201), 'with space']) {
      const response = await world.get('/nowhere', { 'x-request-id': odd })
      const id = response.headers.get('x-request-id')
      expect(id).toMatch(/^req_[0-9a-f-]{36}$/)
      expect((await json(response))['request_id']).toBe(id)
    }
  })

  test('is a problem at an unknown path or method', async () => {
    expect(await codeOf(await world.get('/nowhere'))).toEqual([404, 'route_unknown'])
    const response = await world.send('PUT', '/v1/generations')
    expect([response.status, response.headers.get('allow')]).toEqual([405, 'POST, GET, HEAD'])
    expect((await json(response))['code']).toBe('method_not_allowed')
  })

  test('is a problem that says only what we wrote when something unforeseen breaks, and the log has the rest', async () => {
    const poisoned = {
      toJSON: () => {
        throw new Error('secret of the house')
      },
    }
    const session = async () => ({ requestId: poisoned }) as never
    await reopen({ queries: { ...world.store.queries, session } })
    const response = await world.get(`/v1/generations/${newSession()}`, { 'x-request-id': 'r1' })
    const text = await response.text()
    expect(response.status).toBe(500)
    expect(text).toContain('"code":"internal"')
    expect(text).not.toContain('secret')
    expect(world.lines).toContainEqual(
      expect.objectContaining({ level: 'error', requestId: 'r1', error: new Error('secret of the house') }),
    )
  })

  test('keeps browsers from doing harm, and does not say what it runs on', async () => {
    const { headers } = await world.get('/v1/generations')
    expect(headers.get('x-powered-by')).toBeNull()
    expect(headers.get('x-content-type-options')).toBe('nosniff')
    expect(headers.get('content-security-policy')).toContain("default-src 'none'")
    expect(headers.get('access-control-allow-origin')).toBeNull()
    const forged = await world.send('POST', '/v1/projections/sessions/rebuild', { 'sec-fetch-site': 'cross-site' })
    expect(await codeOf(forged)).toEqual([403, 'cross_site'])
  })

  test('leaves one line in the log, with the route and without what was asked', async () => {
    const id = newSession()
    await world.get(`/v1/generations/${id}?secret=1`, { 'x-request-id': 'r2' })
    expect(world.lines.filter(({ requestId }) => requestId === 'r2')).toEqual([
      expect.objectContaining({
        message: 'request',
        method: 'GET',
        route: '/v1/generations/:id',
        sessionId: id,
        status: 400,
        code: 'invalid_request',
      }),
    ])
    expect(JSON.stringify(world.lines)).not.toContain('secret')
  })

  test('comes at once, as 503, when too many requests are being worked on; probes are answered all the same', async () => {
    let release = () => {}
    const hanging = new Promise<never>((_resolve, reject) => {
      release = () => reject(new Error('released'))
    })
    await reopen({ queries: { ...world.store.queries, reconciliation: () => hanging }, limits: { requestsMax: 1 } })
    const slow = world.get('/v1/reconciliation')
    await expect.poll(async () => (await world.get('/v1/refunds')).status).toBe(503)
    expect(await codeOf(await world.get('/v1/refunds'))).toEqual([503, 'overloaded'])
    expect((await world.get('/health')).status).toBe(200)
    release()
    expect((await slow).status).toBe(503)
    expect((await world.get('/v1/refunds')).status).toBe(200)
  })
})

describe('health', () => {
  const loop = (changes: object) => ({
    name: 'archive',
    state: 'running' as const,
    restarts: 0,
    lastError: 'password of admin',
    seenAt: Date.now(),
    ...changes,
  })
  const statusOf = (loops: object, partition: object = {}, draining = false) => ({
    loops: [loop(loops)],
    partitions: [{ partition: 2, state: 'running' as const, damage: null, steppingSince: null, ...partition }],
    draining,
  })

  test('is ok, ready and live when all works', async () => {
    await reopen({ status: () => statusOf({}), checks: [{ name: 'redis', remedy: 'Start it.', run: async () => {} }] })
    expect(await json(await world.get('/health?probe=1'))).toMatchObject({
      status: 'ok',
      size_rec_model_loaded: false,
      redis_connected: true,
      checks: { redis: 'ok' },
      partitions: { of: 4, held: 1, running: 1, damaged: [] },
    })
    for (const path of ['/livez', '/readyz']) expect((await world.get(path)).status).toBe(200)
  })

  test('is degraded but 200, not ready, and names what to do when a check fails; never why', async () => {
    const remedy = 'Apply the migrations: npm run wearon -- migrate'
    await reopen({ checks: [{ name: 'migrations', remedy, run: down }], limits: { checkMs: 50 } })
    const health = await world.get('/health')
    expect(health.status).toBe(200)
    expect(await json(health)).toMatchObject({ status: 'degraded', redis_connected: false })
    const ready = await world.get('/readyz')
    expect(ready.status).toBe(503)
    const text = await ready.text()
    expect(text).toContain(remedy)
    expect(text).not.toContain('password')
    expect((await world.get('/livez')).status).toBe(200)
  })

  test('does not wait for a check that hangs', async () => {
    const run = () => new Promise<void>(() => {})
    await reopen({ checks: [{ name: 'database', remedy: 'Start it.', run }], limits: { checkMs: 20 } })
    expect((await world.get('/readyz')).status).toBe(503)
  })

  test.each([
    ['a loop that stalled', statusOf({ seenAt: Date.now() - 61_000 }), [503, 200, 'degraded']],
    ['a loop that waits to be restarted', statusOf({ state: 'waiting' }), [200, 200, 'degraded']],
    ['a damaged partition', statusOf({}, { state: 'damaged' }), [200, 503, 'degraded']],
    ['a process that goes down', statusOf({}, {}, true), [200, 503, 'ok']],
  ])('tells %s', async (_name, status, [live, ready, health]) => {
    await reopen({ status: () => status })
    expect((await world.get('/livez')).status).toBe(live)
    expect((await world.get('/readyz')).status).toBe(ready)
    const response = await world.get('/health')
    const text = await response.text()
    expect([response.status, JSON.parse(text)]).toMatchObject([200, { status: health }])
    expect(text).not.toContain('password')
  })
})

describe('GET /metrics', () => {
  test('counts requests by route template, never by path', async () => {
    const id = newSession()
    await world.get(`/v1/generations/${id}`)
    await world.get('/nowhere/at/all')
    const response = await world.get('/metrics')
    expect(response.headers.get('content-type')).toContain('text/plain; version=0.0.4')
    const text = await response.text()
    expect(text).toContain('wearon_http_requests_total{method="GET",route="/v1/generations/:id",status="404"} 1')
    expect(text).toContain('wearon_http_requests_total{method="GET",route="unmatched",status="404"} 1')
    expect(text).toContain('wearon_http_request_seconds_count{method="GET",route="/v1/generations/:id"} 1')
    expect(text).not.toContain(id)
  })
})

describe('listen', () => {
  test('rejects when the address is taken', async () => {
    await expect(listen(createHttp(world.parts), { host: '127.0.0.1', port: world.port })).rejects.toThrow('EADDRINUSE')
  })

  test('lets a running request end, takes no new one, and drops what is late after the grace', async () => {
    let answer = (_page: LetterPage) => {}
    const slow = new Promise<LetterPage>((resolve) => {
      answer = resolve
    })
    const hanging = new Promise<never>(() => {})
    let calls = 0
    const list = () => {
      calls += 1
      return calls === 1 ? slow : hanging
    }
    const { log } = world.parts
    await reopen({ log: { ...log, letters: { ...log.letters, list } } })
    const [running, late] = [world.get('/v1/dead-letters'), world.get('/v1/dead-letters').catch(() => 'dropped')]
    await expect.poll(() => calls).toBe(2)
    const closed = world.close(500)
    answer({ items: [], next: null })
    expect((await running).status).toBe(200)
    await expect(world.get('/livez')).rejects.toThrow('fetch failed')
    await closed
    expect(await late).toBe('dropped')
  })
})
