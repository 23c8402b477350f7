import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { cancelled, refundRequested, requested } from '../support/facts.ts'
import { json, newSession, openWorld, taskOf, type World } from './http-world.ts'

let world: World
beforeEach(async () => {
  world = await openWorld()
})
afterEach(() => world.close(0))

/** Another world in the place of the usual one. */
const reopen = async (changes: Parameters<typeof openWorld>[0]) => {
  await world.close(0)
  world = await openWorld(changes)
}

const down = () => Promise.reject(new Error('connect ECONNREFUSED 10.0.0.7:5432 as admin'))

describe('POST /v1/generations', () => {
  test('answers 202 with the place to look, once the task is published in the producer’s words', async () => {
    const task = taskOf()
    const response = await world.post(task)
    expect(response.status).toBe(202)
    expect(response.headers.get('location')).toBe(`/v1/generations/${String(task['session_id'])}`)
    expect(await json(response)).toMatchObject({ session_id: task['session_id'], state: 'queued', request_id: 'req_1' })
    expect(world.published()).toMatchObject([
      {
        command: 'generation.request',
        sessionId: task['session_id'],
        task: { taskId: task['task_id'], imageUrls: task['image_urls'], createdAt: task['created_at'] },
        source: 'http',
      },
    ])
  })

  test('leaves a line in the log that names the session, and passes on a trace that is none of the task', async () => {
    const task = taskOf()
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
    await world.post(task, { traceparent })
    expect(world.lines.at(-1)).toMatchObject({ message: 'request', sessionId: task['session_id'], status: 202 })
    expect(world.published()).toMatchObject([{ task: { traceparent } }])
    const repeated = await world.post(task, { traceparent: traceparent.replace('b7', 'c8'), 'idempotency-key': 'k' })
    expect(repeated.status).toBe(202)
    expect(world.published()).toHaveLength(1)
  })

  test('takes ids in any letter case for the same session', async () => {
    const id = newSession()
    await world.post(taskOf({ session_id: id.toUpperCase() }))
    const again = await world.post(taskOf({ session_id: id }))
    expect(again.status).toBe(202)
    expect(world.published()).toHaveLength(1)
    expect((await world.get(`/v1/generations/${id.toUpperCase()}`)).status).toBe(200)
  })

  test('names each fault of a body and records nothing', async () => {
    const id = newSession()
    const response = await world.post(
      taskOf({ session_id: id, image_urls: ['ftp://x/y', 'no'], user_id: newSession() }),
    )
    expect(response.status).toBe(400)
    expect(response.headers.get('content-type')).toBe('application/problem+json')
    const problem = await json(response)
    expect(problem).toMatchObject({ code: 'invalid_request', status: 400, title: 'invalid request' })
    expect(problem['errors']).toEqual([
      { detail: 'image_urls.0: is not an http or https URL', pointer: '#/image_urls/0' },
      { detail: 'image_urls.1: is not an http or https URL', pointer: '#/image_urls/1' },
      { detail: 'user_id: is not allowed for channel b2b', pointer: '#/user_id' },
    ])
    expect(world.published()).toEqual([])
    expect((await world.get(`/v1/generations/${id}`)).status).toBe(404)
    expect((await world.post(taskOf({ session_id: id }))).status).toBe(202)
  })

  test.each([
    ['broken JSON', '{"task_id": ', 'invalid_json'],
    ['bytes that are no UTF-8', Buffer.from([0x7b, 0xff, 0x7d]).toString('latin1'), 'invalid_json'],
    ['no body', '', 'invalid_json'],
    ['a list', '[]', 'invalid_request'],
    ['a NUL in a text', JSON.stringify(taskOf({ prompt: 'a\0b' })), 'invalid_request'],
    ['half of a surrogate pair', JSON.stringify(taskOf({ prompt: '\ud800' })), 'invalid_request'],
  ])('answers 400 to %s', async (_name, body, code) => {
    const bytes = Buffer.from(body, body.includes('\u00ff') ? 'latin1' : 'utf8')
    const response = await fetch(`${world.url}/v1/generations`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: bytes,
    })
    expect(response.status).toBe(400)
    expect(await json(response)).toMatchObject({ code })
    expect(world.published()).toEqual([])
  })

  test('answers 413 to a body that is too large, and 415 to one that is not plain JSON', async () => {
    const large = await world.post(taskOf({ prompt: 'x'.repeat(300_000) }))
    expect([large.status, (await json(large))['code']]).toEqual([413, 'body_too_large'])
    for (const headers of [{ 'content-type': 'text/plain' }, { 'content-encoding': 'gzip' }]) {
      const other = await world.post(taskOf(), headers)
      expect([other.status, (await json(other))['code']]).toEqual([415, 'media_type_unsupported'])
    }
    expect(world.published()).toEqual([])
  })

  test('gives the same session its first answer and publishes it once', async () => {
    const task = taskOf()
    const first = await json(await world.post(task))
    const again = await world.post({ ...task, task_id: 'another push', request_id: 'req_2' })
    expect(again.status).toBe(202)
    expect(await json(again)).toEqual(first)
    expect(world.published()).toHaveLength(1)
  })

  test('refuses a session that was accepted from another tenant', async () => {
    const id = newSession()
    await world.post(taskOf({ session_id: id }))
    const response = await world.post(taskOf({ session_id: id, store_id: newSession() }))
    expect([response.status, (await json(response))['code']]).toEqual([409, 'session_of_another'])
  })

  test('publishes again what may not have become durable, and only that', async () => {
    let tries = 0
    const { log } = world.parts
    const publish: typeof log.publish = async (messages) => {
      tries += 1
      await log.publish(messages)
      if (tries === 1) await down()
    }
    await reopen({ log: { ...log, publish } })
    const task = taskOf()
    const path = `/v1/generations/${String(task['session_id'])}`
    const response = await world.post(task)
    expect([response.status, response.headers.get('retry-after')]).toEqual([503, '5'])
    expect((await world.get(path)).status).toBe(404)
    expect([(await world.post(task)).status, tries]).toEqual([202, 2])
    expect((await world.get(path)).status).toBe(200)
    expect([(await world.post(task)).status, tries]).toEqual([202, 2])
  })

  test.each(['reserve', 'published', 'find'] as const)(
    'answers 503 without internals when %s fails',
    async (method) => {
      const { acceptances } = world.store
      // Only a tenant beyond its cap is looked up.
      const limits = { tenantBacklogMax: method === 'find' ? 0 : 10 }
      await reopen({ acceptances: { ...acceptances, [method]: down }, limits })
      const response = await world.post(taskOf())
      expect([response.status, response.headers.get('retry-after')]).toEqual([503, '5'])
      const text = await response.text()
      expect(text).toContain('"code":"unavailable"')
      expect(text).not.toMatch(/ECONNREFUSED|10\.0\.0\.7|admin/)
      expect(world.lines).toContainEqual(expect.objectContaining({ level: 'warn', route: '/v1/generations' }))
    },
  )

  test('tells callers to try again when a part hangs', async () => {
    await reopen({
      queries: { ...world.store.queries, backlog: () => new Promise(() => {}) },
      limits: { answerMs: 50 },
    })
    const response = await world.post(taskOf())
    expect([response.status, (await json(response))['code']]).toEqual([503, 'too_slow'])
    expect(response.headers.get('retry-after')).toBe('5')
  })
})

describe('Idempotency-Key', () => {
  const key = { 'idempotency-key': 'order-7' }

  test('with the same body gives the first answer', async () => {
    const task = taskOf()
    const first = await json(await world.post(task, key))
    expect(await json(await world.post(task, key))).toEqual(first)
    expect(world.published()).toHaveLength(1)
  })

  test('with another body is refused, and nothing of it is published', async () => {
    const task = taskOf()
    await world.post(task, key)
    for (const other of [{ ...task, prompt: 'red' }, taskOf()]) {
      const response = await world.post(other, key)
      expect([response.status, (await json(response))['code']]).toEqual([422, 'key_reused'])
    }
    expect(world.published()).toHaveLength(1)
  })

  test('is the same body in whatever order its fields come, and whatever unknown fields it has', async () => {
    const task = taskOf()
    await world.post(task, key)
    const turned = Object.fromEntries(Object.entries({ ...task, extra: 1 }).toReversed())
    expect((await world.post(turned, key)).status).toBe(202)
  })

  test('of one tenant says nothing to another', async () => {
    await world.post(taskOf(), key)
    expect((await world.post(taskOf({ store_id: newSession() }), key)).status).toBe(202)
  })

  test('is refused when it is longer than 200 characters', async () => {
    const response = await world.post(taskOf(), { 'idempotency-key': 'x'.repeat(201) })
    expect([response.status, (await json(response))['code']]).toEqual([400, 'invalid_request'])
    expect((await world.post(taskOf(), { 'idempotency-key': 'x'.repeat(200) })).status).toBe(202)
  })
})

describe('a tenant’s backlog', () => {
  test('over its cap gets 429, repeats and other tenants do not', async () => {
    await reopen({ limits: { tenantBacklogMax: 2, backlogCacheMs: 60_000 } })
    const task = taskOf()
    expect((await world.post(task)).status).toBe(202)
    expect((await world.post(taskOf())).status).toBe(202)
    const response = await world.post(taskOf())
    expect([response.status, response.headers.get('retry-after')]).toEqual([429, '10'])
    expect(await json(response)).toMatchObject({ code: 'backlog_full' })
    expect((await world.post(task)).status).toBe(202)
    expect((await world.post(taskOf({ store_id: newSession() }))).status).toBe(202)
    expect(world.published()).toHaveLength(3)
  })

  test('is counted again after a moment', async () => {
    await reopen({ limits: { tenantBacklogMax: 1 } })
    const id = newSession()
    await world.post(taskOf({ session_id: id }))
    await world.happen(id, requested())
    await world.project()
    expect((await world.post(taskOf())).status).toBe(429)
    await world.happen(id, cancelled(), refundRequested())
    await world.project()
    expect((await world.post(taskOf())).status).toBe(202)
  })
})

describe('DELETE /v1/generations/:id', () => {
  test('asks for the cancellation of a session that has not ended', async () => {
    const task = taskOf()
    await world.post(task)
    const response = await world.send('DELETE', `/v1/generations/${String(task['session_id'])}`)
    expect(response.status).toBe(202)
    expect(world.published()[1]).toMatchObject({ command: 'generation.cancel', sessionId: task['session_id'] })
  })

  test('is refused for one that has ended, and for one that nobody knows', async () => {
    const id = newSession()
    await world.happen(id, requested(), cancelled(), refundRequested())
    await world.project()
    const ended = await world.send('DELETE', `/v1/generations/${id}`)
    expect([ended.status, (await json(ended))['code']]).toEqual([409, 'session_ended'])
    const unknown = await world.send('DELETE', `/v1/generations/${newSession()}`)
    expect([unknown.status, (await json(unknown))['code']]).toEqual([404, 'session_unknown'])
    expect(world.published()).toEqual([])
  })
})

describe('from the 202 on', () => {
  test('GET answers queued or further, never 404, however slow the projection is', async () => {
    const wait = () => new Promise((resolve) => setTimeout(resolve, Math.random() * 20))
    const { acceptances, queries } = world.store
    // Slow and uneven, so that every interleaving of the two reads with the projection comes up.
    await reopen({
      queries: { ...queries, session: async (id) => wait().then(() => world.store.queries.session(id)) },
      acceptances: {
        ...acceptances,
        reserve: (request) => world.store.acceptances.reserve(request),
        published: async (id) => wait().then(() => world.store.acceptances.published(id)),
        find: async (id) => wait().then(() => world.store.acceptances.find(id)),
      },
    })
    const seen = await Promise.all(
      Array.from({ length: 40 }, async () => {
        const id = newSession()
        const accepted = await world.post(taskOf({ session_id: id }))
        expect(accepted.status).toBe(202)
        const projection = wait()
          .then(() => world.happen(id, requested()))
          .then(() => wait())
          .then(() => world.project())
        const answers: string[] = []
        for (let poll = 0; poll < 6; poll++) {
          const response = await world.get(`/v1/generations/${id}`)
          answers.push(`${response.status} ${String((await json(response))['state'])}`)
        }
        await projection
        return answers
      }),
    )
    expect(new Set(seen.flat())).toEqual(new Set(['200 queued']))
  })
})
