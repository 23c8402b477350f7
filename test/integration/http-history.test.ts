import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { NewFact } from '../../src/events/fact.ts'
import type { SessionId } from '../../src/events/ids.ts'
import type { Owner } from '../../src/events/owner.ts'
import { newStore, newUser, order } from '../support/store-world.ts'
import { json, newSession, openWorld, type World } from './http-world.ts'

let world: World
beforeEach(async () => {
  world = await openWorld()
})
afterEach(() => world.close(0))

const post = async (path: string, body: object) => {
  const response = await fetch(world.url + path, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
  return [response.status, await json(response)] as const
}
const by = { role: 'operator', name: 'ada' }

const pastRow = async (owner: Owner, end: 'completed' | 'failed' = 'failed'): Promise<SessionId> => {
  const placed = order(owner)
  await world.store.producer.order(placed)
  await world.store.play.edit(placed.sessionId, end)
  return placed.sessionId
}
const imported = async (owner: Owner): Promise<SessionId> => {
  const id = await pastRow(owner)
  const fact: NewFact = { type: 'generation.imported', data: { end: 'failed', owner, evidence: 'its row' } }
  await world.happen(id, fact)
  await world.project()
  return id
}

describe('POST /v1/history/import', () => {
  test('takes only rows that are old enough', async () => {
    await pastRow(newStore())
    expect(await post('/v1/history/import', { by: 'ada' })).toMatchObject([
      202,
      { completed: 0, failed: 0, next: null },
    ])
    const [status] = await post('/v1/history/import', { by: 'ada', before: new Date().toISOString() })
    expect([status, world.published()]).toEqual([400, []])
  })

  test('hands one batch over, and says where to go on; a dry run only counts', async () => {
    const [user, store] = [newUser(), newStore()]
    const row = (owner: Owner, end: 'completed' | 'failed') => ({
      sessionId: newSession(),
      owner,
      requestId: null,
      end,
      requestedAt: '2026-01-15T10:00:00.000Z',
      evidence: 'words',
    })
    const items = [row(user, 'completed'), row(store, 'failed')]
    await world.close(0)
    const rows = async () => ({ items, next: 'more' })
    world = await openWorld()
    world.parts.past.rows = rows
    expect(await post('/v1/history/import', { by: 'ada', dry_run: true })).toMatchObject([
      200,
      { completed: 1, failed: 1 },
    ])
    expect(world.published()).toEqual([])
    expect(await post('/v1/history/import', { by: 'ada' })).toMatchObject([202, { next: 'more' }])
    expect(world.published()).toEqual(items.map((one) => ({ command: 'generation.import', by, ...one })))
  })
})

describe('approving', () => {
  const why = 'the ledger shows no refund'

  test('many at once takes those that the ledger proves, and none of a user', async () => {
    const [ofStore, ofUser, unknown] = [await imported(newStore()), await imported(newUser()), newSession()]
    const ids = [ofStore, ofUser, unknown]
    const dry = await post('/v1/history/approvals', { by: 'ada', why, session_ids: ids, dry_run: true })
    expect(dry).toMatchObject([200, { approved: 1, credits: 1 }])
    expect(world.published()).toEqual([])
    const [status, answer] = await post('/v1/history/approvals', { by: 'ada', why, session_ids: ids })
    expect([status, answer['items']]).toEqual([
      202,
      [
        { session_id: ofStore, verdict: 'approved', credits: 1 },
        { session_id: ofUser, verdict: 'only_one_by_one', credits: 1 },
        { session_id: unknown, verdict: 'not_approvable', credits: 0 },
      ],
    ])
    expect(world.published()).toEqual([{ command: 'refund.approve', sessionId: ofStore, by, why, bulk: true }])
  })

  test('one takes a user’s, with who and why', async () => {
    const id = await imported(newUser())
    expect((await post(`/v1/history/${id}/approve`, { by: 'ada' }))[0]).toBe(400)
    expect(await post(`/v1/history/${id}/approve`, { by: 'ada', why })).toMatchObject([202, { approved: 1 }])
    expect(world.published()).toEqual([{ command: 'refund.approve', sessionId: id, by, why, bulk: false }])
  })
})

test('GET /v1/history lists what waits for an approval, also as CSV', async () => {
  const id = await imported(newStore())
  expect(await json(await world.get('/v1/history'))).toMatchObject({
    items: [{ session_id: id, proof: 'proved' }],
    next: null,
  })
  const [header, row] = (await (await world.get('/v1/history?format=csv')).text()).split('\r\n')
  expect(header).toBe(
    'session_id,channel,owner_id,request_id,requested_at,ended_at,error_message,payer,credits,proof,detail',
  )
  expect(row).toContain(`${id},b2b,`)
})
