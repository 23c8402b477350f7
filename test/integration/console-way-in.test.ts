import { afterEach, describe, expect, test } from 'vitest'
import { eventually } from '../support/eventually.ts'
import { bearer, makeKey } from './http-keys-world.ts'
import { json, openWorld, type World } from './http-world.ts'

/** All that a browser loads, at most. */
const PAGE_BYTES = 300_000
const SESSION = '/v1/console/session'
const PROXIED = { 'x-forwarded-for': '203.0.113.7' }

let world: World
afterEach(() => world.close(0))

/** What the browser adds to a request that a page of ours sends. */
const fromOurPage = { 'x-console': '1', 'sec-fetch-site': 'same-origin' }

const signIn = async (key: string) => {
  const headers = { ...bearer(key), ...fromOurPage, 'content-type': 'application/json' }
  const response = await fetch(world.url + SESSION, { method: 'POST', headers, body: '{}' })
  expect(response.status).toBe(200)
  const [set = ''] = response.headers.getSetCookie()
  return { set, cookie: set.split(';')[0] ?? '' }
}
const codeOf = async (response: Response) => [response.status, (await json(response))['code']]

describe('what the console is made of', () => {
  test('comes from here alone, weighs little, and is not sent again when the browser has it', async () => {
    world = await openWorld()
    const page = await world.get('/console')
    expect(page.headers.get('content-security-policy')).toMatch(
      /^default-src 'none'; script-src 'self'; style-src 'self';/,
    )
    const html = await page.text()
    expect(html).not.toMatch(/<script>|<style|style=|https?:\/\//)
    const files = [...html.matchAll(/(?:href|src)="(?<path>\/console\/[^"]+)"/g)].map(
      ({ groups }) => groups?.['path'] ?? '',
    )
    let bytes = Buffer.byteLength(html)
    for (const path of new Set(files)) {
      const response = await world.get(path)
      expect([path, response.status]).toEqual([path, 200])
      const text = await response.text()
      expect([path, /\binnerHTML\b|\beval\(|\bimport type\b/.test(text)]).toEqual([path, false])
      bytes += Buffer.byteLength(text)
      const again = await world.get(path, { 'if-none-match': response.headers.get('etag') ?? '' })
      expect([path, again.status]).toEqual([path, 304])
    }
    expect(files.length).toBeGreaterThan(20)
    expect(bytes).toBeLessThan(PAGE_BYTES)
    console.log(`The console weighs ${Math.round(bytes / 1_000)} kB in ${new Set(files).size + 1} files.`)
  })

  test('is any page below /console, and nothing outside of its folder', async () => {
    world = await openWorld()
    for (const path of ['/console/sessions', '/console/sessions/x?y=1', '/console/dead-letters']) {
      expect((await world.get(path)).headers.get('content-type')).toBe('text/html; charset=utf-8')
    }
    for (const path of ['nothing.ts', 'lib', '..%2f..%2fhttp%2fapp.ts', '..%2ftsconfig.json']) {
      expect(await codeOf(await world.get(`/console/files/${path}`))).toEqual([404, 'route_unknown'])
    }
  })
})

describe('the way in', () => {
  test('is open on this machine without any key, and elsewhere names the command that makes the first', async () => {
    world = await openWorld({ trustedProxies: ['loopback'] })
    expect((await world.get('/console')).status).toBe(200)
    expect(await json(await world.get(SESSION))).toMatchObject({ name: 'loopback', key_id: null, scopes: null })
    const outside = await world.get('/console', PROXIED)
    expect(outside.status).toBe(401)
    expect(await outside.text()).toContain('wearon -- keys create')
    expect((await world.get(SESSION, PROXIED)).status).toBe(401)
  })

  test('with a key is a cookie that no page can read or another site send, of eight hours', async () => {
    world = await openWorld({ publicUrl: () => 'https://worker.example.com' })
    const { key, id } = await makeKey(world)
    const { set, cookie } = await signIn(key)
    expect(set).toMatch(/^wearon_console=[\w.-]+; Path=\/; HttpOnly; SameSite=Strict; Max-Age=28800; Secure$/)
    expect(set).not.toContain(key.split('_')[2])
    expect((await world.get('/v1/generations')).status).toBe(401)
    expect((await world.get('/v1/generations', { cookie })).status).toBe(200)
    expect(await json(await world.get(SESSION, { cookie }))).toMatchObject({
      key_id: id,
      scopes: ['read'],
      tenant: null,
    })
    for (const from of ['cross-site', 'same-site']) {
      expect((await world.get('/v1/generations', { cookie, 'sec-fetch-site': from })).status).toBe(401)
    }
  })

  test('counts for what the key is for, and ends with a sign-out and with the key', async () => {
    world = await openWorld({ limits: { keyCacheMs: 1 } })
    const { key, id } = await makeKey(world)
    const [one, other] = [await signIn(key), await signIn(key)]
    const statusOf = async ({ cookie }: { cookie: string }) => (await world.get('/v1/generations', { cookie })).status
    expect(await codeOf(await world.get('/v1/keys', { cookie: one.cookie }))).toEqual([403, 'scope_missing'])
    const headers = { ...fromOurPage, cookie: one.cookie }
    const signOut = await fetch(world.url + SESSION, { method: 'DELETE', headers })
    const [set = ''] = signOut.headers.getSetCookie()
    expect([signOut.status, /=; .*Max-Age=0/.test(set)]).toEqual([204, true])
    expect([await statusOf(one), await statusOf(other)]).toEqual([401, 200])
    await world.store.apiKeys.revoke(id, new Date().toISOString())
    await eventually(async () => expect(await statusOf(other)).toBe(401))
    const { items } = await world.store.audit.list({ action: 'console', limit: 9 })
    expect(items.every(({ keyId, outcome }) => keyId === id && outcome === 'done')).toBe(true)
    expect(items.map(({ action }) => action).toSorted()).toEqual([
      'console.sign_in',
      'console.sign_in',
      'console.sign_out',
    ])
  })

  test('ends what is open when its hours are over', async () => {
    const { env } = (world = await openWorld()).parts
    await world.close(0)
    let laterMs = 0
    const clock = { ...env.clock, now: () => env.clock.now() + laterMs }
    world = await openWorld({ env: { ...env, clock }, limits: { keyCacheMs: 20 } })
    const { key } = await makeKey(world)
    const { cookie } = await signIn(key)
    const events = await world.get('/v1/census/events', { cookie })
    expect(events.status).toBe(200)
    laterMs = 8 * 3_600_000
    await expect(events.text()).rejects.toThrow('terminated')
  })

  test('begins no session without the key itself, so that none outlives its hours', async () => {
    world = await openWorld()
    const { key } = await makeKey(world)
    const { cookie } = await signIn(key)
    const headers = { ...fromOurPage, cookie, 'content-type': 'application/json' }
    const again = await fetch(world.url + SESSION, { method: 'POST', headers, body: '{}' })
    expect([again.headers.getSetCookie(), await codeOf(again)]).toEqual([[], [401, 'key_missing']])
  })

  test('changes something for a page of ours alone, in the name of the key', async () => {
    world = await openWorld({ rebuild: async () => 'started' })
    const { key, id } = await makeKey(world, { scopes: ['operate'] })
    const { cookie } = await signIn(key)
    const rebuild = async (headers: Record<string, string>) =>
      (await world.send('POST', '/v1/projections/sessions/rebuild', { cookie, ...headers })).status
    const ours = { 'x-console': '1' }
    expect(await rebuild({})).toBe(403)
    expect(await rebuild(ours)).toBe(403)
    expect(await rebuild({ 'sec-fetch-site': 'same-origin' })).toBe(403)
    expect(await rebuild({ ...ours, 'sec-fetch-site': 'none' })).toBe(403)
    for (const site of ['same-site', 'cross-site']) expect(await rebuild({ ...ours, 'sec-fetch-site': site })).toBe(403)
    expect(await rebuild({ ...ours, origin: 'https://elsewhere.example' })).toBe(403)
    expect(await rebuild({ ...ours, origin: world.url })).toBe(202)
    expect(await rebuild(fromOurPage)).toBe(202)
    const { items } = await world.store.audit.list({ action: 'projection.rebuild', limit: 9 })
    expect(items.map(({ keyId, target }) => [keyId, target])).toEqual([
      [id, 'sessions'],
      [id, 'sessions'],
    ])
  })
})
