import { afterEach, beforeEach, expect, test } from 'vitest'
import { completed, requested, started } from '../support/facts.ts'
import { newStore } from '../support/store-world.ts'
import { json, newSession, openWorld, type World } from './http-world.ts'

let world: World
beforeEach(async () => {
  world = await openWorld()
})
afterEach(() => world.close(0))

const erase = (body: object) =>
  fetch(`${world.url}/v1/erasures`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })

test('POST /v1/erasures blanks a store’s closed sessions, and says how many have not ended', async () => {
  const owner = newStore()
  const store = owner.channel === 'b2b' ? owner.storeId : ''
  const [done, open] = [newSession(), newSession()]
  await world.happen(done, requested({ owner, prompt: 'a secret' }), started(), completed())
  await world.happen(open, requested({ owner }))
  await world.project()
  const response = await erase({ by: 'ada', store: store.toUpperCase() })
  expect([response.status, await json(response)]).toEqual([
    200,
    { sessions: 1, open: 1, objects: 0, letters: 0, more: false },
  ])
  expect(JSON.stringify(await world.store.archive.session(done))).not.toContain('secret')
})

test('names who asks, and exactly one owner', async () => {
  for (const body of [{ by: 'ada' }, { store: newSession() }, { by: 'ada', user: newSession(), store: newSession() }])
    expect((await erase(body)).status).toBe(400)
})
