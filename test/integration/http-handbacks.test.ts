import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Pause } from '../../src/machines/ports/pauses.ts'
import { requested, started } from '../support/facts.ts'
import { newStore, newUser } from '../support/store-world.ts'
import { json, newSession, openWorld, type World } from './http-world.ts'

const held = (ageMs: number): Pause => ({
  scope: 'list',
  by: 'ada',
  why: 'the way back',
  since: new Date(Date.now() - ageMs).toISOString(),
})

let world: World
afterEach(() => world.close(0))

const ask = async (method: string, path: string, body?: object) => {
  const headers = { 'content-type': 'application/json' }
  const response = await fetch(world.url + path, { method, ...(body && { headers, body: JSON.stringify(body) }) })
  return [response.status, await json(response)] as const
}

describe('POST /v1/handbacks', () => {
  const store = newStore()
  const ids = [newSession(), newSession()].toSorted()

  beforeEach(async () => {
    world = await openWorld()
    for (const id of ids) await world.happen(id, requested({ owner: store }))
    await world.happen(newSession(), requested({ owner: newUser() }), started())
    await world.project()
  })

  test('asks for untouched sessions, a page at a time, once the list is paused', async () => {
    await world.store.pauses.pause(held(60_000))
    const body = { by: 'ada', limit: 1 }
    expect(await ask('POST', '/v1/handbacks', body)).toEqual([202, { sessions: 1, next: ids[0], dry_run: false }])
    const [, next] = await ask('POST', '/v1/handbacks', { by: 'ada', after: ids[0] })
    expect(next).toEqual({ sessions: 1, next: null, dry_run: false })
    const by = { role: 'operator', name: 'ada' }
    expect(world.published()).toEqual(ids.map((sessionId) => ({ command: 'generation.hand_back', sessionId, by })))
  })

  test('refuses while our own bridges would take the tasks again, and where there is no list', async () => {
    expect(await ask('POST', '/v1/handbacks', { by: 'ada' })).toMatchObject([409, { code: 'list_not_paused' }])
    await world.store.pauses.pause(held(0))
    expect(await ask('POST', '/v1/handbacks', { by: 'ada' })).toMatchObject([409, { code: 'list_not_paused' }])
    expect(world.published()).toEqual([])
    await world.close(0)
    world = await openWorld({ hasProducersList: false })
    expect(await ask('POST', '/v1/handbacks', { by: 'ada' })).toMatchObject([409, { code: 'no_producers_list' }])
  })

  test('only counts them when told so, of one store or user', async () => {
    const count = async (whose: object) => (await ask('POST', '/v1/handbacks', { dry_run: true, ...whose }))[1]
    expect(await count({})).toEqual({ sessions: 2, next: null, dry_run: true })
    expect(await count({ user: newSession() })).toMatchObject({ sessions: 0 })
    expect(await count({ store: store.channel === 'b2b' && store.storeId })).toMatchObject({ sessions: 2 })
    expect(world.published()).toEqual([])
    expect(await ask('GET', '/v1/handbacks')).toEqual([200, { released: 0, handed_back: 0 }])
  })
})

describe('the pauses', () => {
  beforeEach(async () => {
    world = await openWorld({ paused: () => [held(60_000), { ...held(0), scope: 'store:1' }] })
  })

  test('begin with a reason, keep who began them, and end', async () => {
    const id = newSession()
    const path = `/v1/pauses/store:${id.toUpperCase()}`
    expect(await ask('POST', path, { by: 'ada' })).toMatchObject([400, { code: 'invalid_request' }])
    expect(await ask('POST', path, { by: 'ada', why: 'maintenance' })).toMatchObject([200, { scope: `store:${id}` }])
    expect(await ask('POST', path, { by: 'bob', why: 'too' })).toMatchObject([200, { by: 'ada', why: 'maintenance' }])
    expect(await ask('GET', '/v1/pauses')).toMatchObject([200, { items: [{ scope: `store:${id}` }] }])
    expect(await ask('DELETE', path)).toMatchObject([200, { ended: { by: 'ada' } }])
    expect(await ask('DELETE', path)).toMatchObject([200, { ended: null }])
    for (const scope of ['everything', 'store:1', 'shop:1'])
      expect((await ask('POST', `/v1/pauses/${scope}`, { by: 'ada', why: 'x' }))[0]).toBe(400)
  })

  test('show in /health without who and whose, and are no failure', async () => {
    const [, health] = await ask('GET', '/health')
    expect(health).toMatchObject({ status: 'ok', paused: [{ what: 'list' }, { what: 'store' }] })
    expect(JSON.stringify(health)).not.toMatch(/ada|store:1/)
  })
})
