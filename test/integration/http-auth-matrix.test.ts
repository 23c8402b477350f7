import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { StoreId } from '../../src/events/ids.ts'
import { routesOf } from '../../src/http/app.ts'
import { Gate } from '../../src/http/gate.ts'
import type { Route } from '../../src/http/route.ts'
import { SCOPES, type Scope } from '../../src/projections/api-keys.ts'
import { failed, refundRequested, requested } from '../support/facts.ts'
import { bearer, makeKey } from './http-keys-world.ts'
import { json, newSession, openWorld, taskOf, type World } from './http-world.ts'

/** What each route should ask for, beside what it says itself: a route that is not here, or says otherwise, fails. */
const expected: Record<string, string> = {
  'POST /v1/generations': 'publish, of a tenant',
  'DELETE /v1/generations/:id': 'publish, of a session',
  'GET /v1/generations': 'read, of a tenant',
  'GET /v1/generations/:id': 'read, of a session',
  'GET /v1/generations/:id/facts': 'read, of a session',
  'GET /v1/generations/:id/events': 'read, of a session',
  'GET /v1/events': 'read, of a service',
  'GET /v1/census': 'read, of a service',
  'GET /v1/census/events': 'read, of a service',
  'GET /v1/machine': 'known',
  'GET /v1/generations/:id/timeline': 'read, of a session',
  'GET /v1/refunds': 'finance, of a tenant',
  'GET /v1/refunds/:id': 'finance, of a session',
  'POST /v1/refunds/:id/settle': 'finance, of a session',
  'POST /v1/refunds/:id/retry': 'finance, of a session',
  'GET /v1/reconciliation': 'finance, of a tenant',
  'GET /v1/reconciliation/exceptions': 'finance, of a tenant',
  'GET /v1/reconciliation/totals': 'finance, of a tenant',
  'GET /v1/reconciliation/runs': 'finance, of a service',
  'GET /v1/history': 'finance, of a service',
  'POST /v1/history/import': 'operate, of a service',
  'POST /v1/history/approvals': 'finance, of a service',
  'POST /v1/history/:id/approve': 'finance, of a service',
  'GET /v1/orphans': 'finance, of a service',
  'POST /v1/orphans/:id/settle': 'finance, of a service',
  'POST /v1/erasures': 'operate, of a service',
  'GET /v1/projections': 'operate, of a service',
  'POST /v1/projections/:name/rebuild': 'operate, of a service',
  'POST /v1/partitions/:partition/repair': 'operate, of a service',
  'GET /v1/pauses': 'operate, of a service',
  'POST /v1/pauses/:scope': 'operate, of a service',
  'DELETE /v1/pauses/:scope': 'operate, of a service',
  'GET /v1/handbacks': 'operate, of a service',
  'POST /v1/handbacks': 'operate, of a service',
  'GET /v1/dead-letters': 'operate, of a service',
  'GET /v1/dead-letters/:id': 'operate, of a service',
  'POST /v1/dead-letters/:id/replay': 'operate, of a service',
  'POST /v1/dead-letters/:id/discard': 'operate, of a service',
  'GET /v1/journal-readers': 'operate, of a service',
  'DELETE /v1/journal-readers/:name': 'operate, of a service',
  'GET /v1/keys': 'operate, of a service',
  'POST /v1/keys': 'operate, of a service',
  'DELETE /v1/keys/:id': 'operate, of a service',
  'GET /v1/audit': 'operate, of a service',
  'GET /console': 'console',
  'GET /console/files/*path': 'console',
  'GET /console/*path': 'console',
  'GET /v1/console/session': 'known',
  'POST /v1/console/session': 'known',
  'DELETE /v1/console/session': 'known',
  'POST /estimate-body': 'open',
  'POST /v1/estimate-body': 'estimate, of a tenant',
  'POST /v1/estimate-body/photo': 'estimate, of a tenant',
  'POST /v1/rehearsal/orders': 'publish, of a service',
  'POST /v1/rehearsal/pictures': 'publish, of a service',
  'GET /openapi.json': 'open',
  'GET /docs': 'open',
  'GET /livez': 'open',
  'GET /readyz': 'open',
  'GET /health': 'open',
  'GET /metrics': 'open',
  'GET /objects/*path': 'open',
}

/** They change something, and are no entry in the audit: what they do is a fact by itself, or a rehearsal. */
const NOT_AUDITED = [
  'POST /v1/generations',
  'POST /v1/rehearsal/orders',
  'POST /v1/rehearsal/pictures',
  'POST /estimate-body',
  'POST /v1/estimate-body',
  'POST /v1/estimate-body/photo',
]

const nameOf = ({ method, path }: Route): string => `${method.toUpperCase()} ${path}`
const ruleOf = ({ access }: Route): string => ('scope' in access ? `${access.scope}, of a ${access.kind}` : access.kind)
/** One that lets in, where any does. */
const scopeOf = ({ access }: Route): Scope => ('scope' in access ? access.scope : 'read')

const OWN = { channel: 'b2b', storeId: StoreId.parse(randomUUID()) } as const
const FOREIGN = { channel: 'b2b', storeId: StoreId.parse(randomUUID()) } as const
const own = { queued: newSession(), owed: newSession() }
const foreign = { queued: newSession(), owed: newSession() }

let world: World
let routes: Route[]
const keys = {} as Record<Scope, { all: string; own: string }>
const bad: Record<string, string> = {}

const seed = async () => {
  for (const [owner, { queued, owed }] of [
    [OWN, own],
    [FOREIGN, foreign],
  ] as const) {
    await world.happen(queued, requested({ owner }))
    await world.happen(owed, requested({ owner }), failed('internal', 0), refundRequested())
  }
  await world.project()
}

beforeAll(async () => {
  world = await openWorld({
    rehearsal: {
      order: async () => 'ordered',
      upload: async () => ({ url: 'https://images.example/1.jpg', expiresAt: '2026-01-15T10:00:00Z' }),
    },
    objects: { open: async () => ({ bytes: Buffer.from('x'), contentType: 'image/jpeg' }) },
    rebuild: async () => 'started',
    repair: async () => null,
    limits: { keyCacheMs: 100 },
  })
  await seed()
  routes = routesOf(world.parts, new Gate(world.parts))
  for (const scope of SCOPES) {
    const scopes = [scope]
    const all = await makeKey(world, { scopes })
    const restricted = await makeKey(world, { scopes, tenant: `store:${OWN.storeId}` })
    keys[scope] = { all: all.key, own: restricted.key }
  }
  const scopes = [...SCOPES]
  const [revoked, expired, good] = [
    await makeKey(world, { scopes }),
    await makeKey(world, { scopes, expiresAt: new Date(Date.now() - 1_000).toISOString() }),
    await makeKey(world, { scopes }),
  ]
  await world.store.apiKeys.revoke(revoked.id, new Date().toISOString())
  const turned = `${good.key.slice(0, -1)}${good.key.endsWith('A') ? 'B' : 'A'}`
  Object.assign(bad, {
    revoked: bearer(revoked.key).authorization,
    expired: bearer(expired.key).authorization,
    'another secret': bearer(turned).authorization,
    unknown: bearer(`wk_${'f'.repeat(16)}_${'a'.repeat(43)}`).authorization,
    malformed: 'Bearer letmein',
    'of another scheme': `Basic ${btoa('admin:admin')}`,
  })
})
afterAll(() => world.close(0))

const bodies: Record<string, object | Uint8Array> = {
  'POST /v1/refunds/:id/settle': { how: 'paid_outside', why: 'the shop paid' },
  'POST /v1/history/approvals': { why: 'as agreed', session_ids: [newSession()] },
  'POST /v1/history/:id/approve': { why: 'as agreed' },
  'POST /v1/erasures': { store: randomUUID() },
  'POST /v1/dead-letters/:id/discard': { reason: 'garbage' },
  'POST /v1/keys': { name: 'new', scopes: ['read'] },
  'POST /v1/handbacks': { dry_run: true },
  'POST /v1/pauses/:scope': { why: 'maintenance' },
  'POST /v1/rehearsal/pictures': new Uint8Array([1, 2, 3]),
  'POST /v1/estimate-body': { image_url: 'https://images.example/1.jpg', height_cm: 170 },
  'POST /v1/estimate-body/photo': new Uint8Array([1, 2, 3]),
}

const pathOf = ({ path }: Route, session: string): string =>
  path
    .replace('/v1/keys/:id', `/v1/keys/${'9'.repeat(16)}`)
    .replace('/v1/dead-letters/:id', `/v1/dead-letters/0-${'0'.repeat(32)}`)
    .replace(':id', session)
    .replace(':name', 'sessions')
    .replace(':partition', '1')
    .replace(':scope', 'all')
    .replace('*path', 'a/b.jpg')
    .replace('/photo', '/photo?height_cm=170')

const initOf = (route: Route, authorization: string | undefined, store: string): RequestInit => {
  const given = bodies[nameOf(route)]
  const task = taskOf({ store_id: store })
  const body = given ?? (/generations$|orders$/.test(route.path) ? task : {})
  const isPicture = body instanceof Uint8Array
  const headers = {
    ...(authorization !== undefined && { authorization }),
    ...(route.body !== null && { 'content-type': isPicture ? 'application/octet-stream' : 'application/json' }),
  }
  const init = { method: route.method.toUpperCase(), headers }
  return route.body === null ? init : { ...init, body: isPicture ? Buffer.from(body) : JSON.stringify(body) }
}

interface Asking {
  readonly session?: string
  readonly store?: string
  readonly query?: string
}

/** Status and body of an answer; an event stream is left at once. */
const ask = async (
  route: Route,
  authorization?: string,
  { session = own.owed, store = OWN.storeId, query = '' }: Asking = {},
): Promise<{ status: number; text: string; code: unknown }> => {
  const leave = new AbortController()
  const init = { ...initOf(route, authorization, store), signal: leave.signal }
  const response = await fetch(world.url + pathOf(route, session) + query, init)
  const { status } = response
  if (response.headers.get('content-type')?.startsWith('text/event-stream')) {
    leave.abort()
    return { status, text: '', code: undefined }
  }
  const text = await response.text()
  return { status, text, code: /"code":"(?<code>\w+)"/.exec(text)?.groups?.['code'] }
}

const each = async (check: (route: Route, name: string) => Promise<void>, kind?: Route['access']['kind']) => {
  const asked = routes.filter(({ access }) => kind === undefined || access.kind === kind)
  expect(asked.length).toBeGreaterThan(0)
  for (const route of asked) await check(route, nameOf(route))
}
const guarded = async (check: (route: Route, name: string, scope: Scope | null) => Promise<void>) =>
  each(async (route, name) => {
    if ('scope' in route.access) await check(route, name, route.access.scope)
    else if (route.access.kind === 'known') await check(route, name, null)
  })

describe('every route', () => {
  test('is in the table of this test, and says the same of itself', () => {
    expect(Object.fromEntries(routes.map((route) => [nameOf(route), ruleOf(route)]))).toEqual(expected)
  })

  test('lets nobody in without a key once there is one, and says how to get one', async () => {
    await guarded(async (route, name) => {
      const { status, code, text } = await ask(route)
      expect([name, status, code]).toEqual([name, 401, 'key_missing'])
      expect(text).toContain('wearon -- keys create')
    })
  })

  test('refuses a key that is revoked, expired, unknown or malformed, and one with another secret', async () => {
    await guarded(async (route, name) => {
      for (const [which, authorization] of Object.entries(bad)) {
        const { status, code } = await ask(route, authorization)
        expect([name, which, status, code]).toEqual([name, which, 401, 'key_refused'])
      }
    })
  })

  test('lets in its own scope, and no other', async () => {
    await guarded(async (route, name, needed) => {
      for (const scope of SCOPES) {
        const { status, code } = await ask(route, bearer(keys[scope].all).authorization)
        const isRefused = [400, 401, 403, 415, 500].includes(status)
        const outcome = isRefused ? `${status} ${String(code)}` : 'let in'
        expect([name, scope, outcome]).toEqual([
          name,
          scope,
          needed === null || scope === needed ? 'let in' : '403 scope_missing',
        ])
      }
    })
  })

  test('that is open asks for nothing', async () => {
    await each(async (route, name) => {
      expect([name, [401, 403, 404, 429].includes((await ask(route)).status)]).toEqual([name, false])
      expect([name, [401, 403, 404, 429].includes((await ask(route, bad['unknown'])).status)]).toEqual([name, false])
    }, 'open')
  })

  test('that changes something is in the audit, in the name of the key', async () => {
    await each(async (route, name) => {
      const isSafe = route.method === 'get'
      expect([name, route.action !== null]).toEqual([name, !isSafe && !NOT_AUDITED.includes(name)])
      if (route.action === null || route.access.kind === 'open') return
      const { items: before } = await world.store.audit.list({ action: route.action, limit: 200 })
      await ask(route, bearer(keys[scopeOf(route)].all).authorization)
      const { items } = await world.store.audit.list({ action: route.action, limit: 200 })
      expect([name, items.length]).toEqual([name, before.length + 1])
      const noted = items.find(({ id }) => before.every((known) => known.id !== id))
      expect(noted).toMatchObject({ action: route.action, actor: expect.stringMatching(/^key /) as unknown })
      expect([name, noted?.outcome]).not.toEqual([name, null])
    })
  })
})

describe('a key of one store', () => {
  test('is let in by no other scope than its own either, whosever the session is', async () => {
    await guarded(async (route, name, needed) => {
      if (needed === null) return
      for (const scope of SCOPES.filter((other) => other !== needed)) {
        for (const session of [own.owed, foreign.owed]) {
          const { status, code } = await ask(route, bearer(keys[scope].own).authorization, { session })
          expect([name, scope, status, code]).toEqual([name, scope, 403, 'scope_missing'])
        }
      }
    })
  })

  const restricted = (route: Route) => bearer(keys[scopeOf(route)].own).authorization

  test('is not for what is about the service as a whole', async () => {
    await each(async (route, name) => {
      const { status, code } = await ask(route, restricted(route))
      expect([name, status, code]).toEqual([name, 403, 'key_restricted'])
    }, 'service')
  })

  test("finds its own sessions; another's is not there, as one that nobody knows", async () => {
    await each(async (route, name) => {
      const session = route.method === 'delete' ? own.queued : own.owed
      expect([name, (await ask(route, restricted(route), { session })).status]).toEqual([
        name,
        route.method === 'get' ? 200 : 202,
      ])
      const unknown = await ask(route, restricted(route), { session: newSession() })
      expect([name, unknown.status, unknown.code]).toEqual([name, 404, 'session_unknown'])
      for (const another of [foreign.queued, foreign.owed]) {
        const { status, text } = await ask(route, restricted(route), { session: another })
        expect([name, status, withoutIds(text)]).toEqual([name, 404, withoutIds(unknown.text)])
      }
    }, 'session')
    const cancelled = world.published().filter(({ command }) => command === 'generation.cancel')
    expect(cancelled).toContainEqual(
      expect.objectContaining({ sessionId: own.queued, by: { role: 'tenant', tenant: `store:${OWN.storeId}` } }),
    )
  })

  test("sees its own in lists and totals, and nothing of another's", async () => {
    await each(async (route, name) => {
      if (route.method !== 'get') return
      for (const query of ['', ...(/generations/.test(route.path) ? [] : ['?format=csv'])]) {
        if (query !== '' && /totals/.test(route.path)) continue
        const { status, text } = await ask(route, restricted(route), { query })
        expect([name, query, status]).toEqual([name, query, 200])
        expect([name, query, traces(text, FOREIGN.storeId, foreign)]).toEqual([name, query, []])
        const whole = await ask(route, bearer(keys[scopeOf(route)].all).authorization, { query })
        // The test would see nothing else: everything shows both.
        expect([name, query, whole.text === text]).toEqual([name, query, false])
      }
    }, 'tenant')
  })

  test('counts its own sessions alone', async () => {
    const sum = async (key: string) => json(await world.get('/v1/reconciliation', bearer(key)))
    const mine = await sum(keys.finance.own)
    expect(mine['sessions']).toBe(2)
    expect((await sum(keys.finance.all))['sessions']).toBe(4)
    for (const session of [foreign.owed, foreign.queued]) {
      const found = await json(await world.get(`/v1/reconciliation?session=${session}`, bearer(keys.finance.own)))
      expect(found['sessions']).toBe(0)
    }
  })

  test("is told of no account when it names another's", async () => {
    const named = [
      [keys.read.own, `/v1/generations?tenant=store:${FOREIGN.storeId}`],
      [keys.read.own, `/v1/generations?tenant=user:${OWN.storeId}`],
      [keys.finance.own, `/v1/refunds?owner=${FOREIGN.storeId}`],
      ...['', '/exceptions', '/totals'].flatMap((path) => [
        [keys.finance.own, `/v1/reconciliation${path}?store=${FOREIGN.storeId}`],
        [keys.finance.own, `/v1/reconciliation${path}?user=${OWN.storeId}`],
      ]),
    ] as const
    for (const [key = '', path = ''] of named) {
      const response = await world.get(path, bearer(key))
      expect([path, response.status, (await json(response))['code']]).toEqual([path, 404, 'account_unknown'])
    }
    const same = await world.get(`/v1/generations?tenant=store:${OWN.storeId.toUpperCase()}`, bearer(keys.read.own))
    expect(same.status).toBe(200)
  })

  test("publishes its own tasks, and no other's", async () => {
    const before = world.published().length
    for (const owner of [
      { store_id: FOREIGN.storeId },
      { channel: 'b2c', store_id: undefined, user_id: OWN.storeId },
    ]) {
      const response = await world.post(taskOf(owner), bearer(keys.publish.own))
      expect([response.status, (await json(response))['code']]).toEqual([404, 'account_unknown'])
    }
    expect(world.published()).toHaveLength(before)
    expect((await world.post(taskOf({ store_id: OWN.storeId }), bearer(keys.publish.own))).status).toBe(202)
    expect(world.published()).toHaveLength(before + 1)
  })
})

const withoutIds = (text: string): string => text.replaceAll(/"request_id":"[^"]*"/g, '')

const traces = (text: string, store: string, sessions: Record<string, string>): string[] =>
  [store, ...Object.values(sessions)].filter((id) => text.includes(id))
