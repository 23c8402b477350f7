import { afterEach, beforeEach, expect, test } from 'vitest'
import { SessionId } from '../../src/events/ids.ts'
import type { Orphan } from '../../src/projections/orphans.ts'
import { realClock } from '../support/clock.ts'
import { quietEnvironment } from '../support/environment.ts'
import { requested, START_MS } from '../support/facts.ts'
import { newUser } from '../support/store-world.ts'
import { json, newSession, openWorld, taskOf, type World } from './http-world.ts'

const owner = newUser()
const id = newSession()
const orphan: Orphan = {
  class: 'orphan_row',
  sessionId: id,
  channel: 'b2c',
  ownerId: owner.channel === 'b2c' ? owner.userId : '',
  requestId: null,
  since: '2026-01-15T10:00:00.000Z',
  credits: 1,
  settles: false,
  detail: 'no task came for the row',
}

let world: World
beforeEach(async () => {
  const list = async () => ({ items: [orphan], next: null })
  const row = async (session: string) => (session === id ? { sessionId: id, owner, requestId: null } : null)
  world = await openWorld({ orphans: { list, row } })
})
afterEach(() => world.close(0))

const settle = (session: string, body: object) =>
  fetch(`${world.url}/v1/orphans/${session}/settle`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })

test('GET /v1/orphans lists them, also as CSV', async () => {
  expect(await json(await world.get('/v1/orphans?class=orphan_row'))).toMatchObject({
    items: [{ class: 'orphan_row', session_id: id, settles: 'by hand' }],
  })
  expect((await world.get('/v1/orphans?class=lost')).status).toBe(400)
  const csv = await (await world.get('/v1/orphans?format=csv')).text()
  expect(csv).toMatch(/^class,session_id,channel,owner_id,request_id,since,credits,settles,detail\r\norphan_row,/)
})

test('POST /v1/orphans/:id/settle gives an orphan row up by hand, and nothing else', async () => {
  expect((await settle(newSession(), { by: 'ada' })).status).toBe(409)
  expect((await settle(id, {})).status).toBe(400)
  const response = await settle(id, { by: 'ada' })
  expect([response.status, response.headers.get('location')]).toEqual([202, `/v1/refunds/${id}`])
  const by = { role: 'operator', name: 'ada' }
  expect(world.published()).toEqual([{ command: 'generation.give_up', sessionId: id, owner, requestId: null, by }])
})

test('a repeated POST /v1/generations brings back a session that the log lost, and only then', async () => {
  await world.close(0)
  let nowMs = START_MS
  world = await openWorld({ env: quietEnvironment({ ...realClock, now: () => nowMs }) })
  const [known, lost] = [taskOf(), taskOf()]
  for (const task of [known, lost]) await world.post(task)
  await world.happen(SessionId.parse(known['session_id']), requested())
  for (const task of [known, lost]) expect((await world.post(task)).status).toBe(202)
  expect(world.published()).toHaveLength(2)
  nowMs += 61_000
  for (const task of [known, lost]) expect((await world.post(task)).status).toBe(202)
  expect(world.published().slice(2)).toMatchObject([{ sessionId: lost['session_id'] }])
})
