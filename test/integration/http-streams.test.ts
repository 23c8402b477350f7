import { connect } from 'node:net'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { dataOf, openEventStream } from '../support/event-stream.ts'
import { cancelled, completed, refundRequested, requested, started, waived } from '../support/facts.ts'
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

interface Event {
  readonly id: number
  readonly type: string
  readonly sessionId: string
}

const listenTo = (path: string, headers: Record<string, string> = {}) =>
  openEventStream(world.url + path, eventOf, headers)

const eventOf = (block: string): Event[] => {
  const id = /^id: (\d+)$/m.exec(block)?.[1]
  if (id === undefined) return []
  return dataOf(block).map((data) => ({ ...(data as Omit<Event, 'id'>), id: Number(id) }))
}

const ids = (client: { events: readonly Event[] }) => client.events.map(({ id }) => id)
const upTo = (count: number, from = 1) => Array.from({ length: count }, (_, index) => from + index)

describe('GET /v1/generations/:id/events', () => {
  test('tells what happened, then what happens, and ends after the last fact', async () => {
    const id = newSession()
    await world.happen(id, requested())
    const client = await listenTo(`/v1/generations/${id}/events`)
    expect(client.response.headers.get('content-type')).toBe('text/event-stream; charset=utf-8')
    await expect.poll(() => ids(client)).toEqual([1])
    await world.happen(newSession(), requested())
    await world.happen(id, started())
    await expect.poll(() => ids(client)).toEqual([1, 2])
    expect(client.ended).toBe('')
    await world.happen(id, completed())
    await expect.poll(() => client.ended).toBe('ended')
    expect(client.events.map(({ type }) => type)).toEqual([
      'generation.requested',
      'generation.started',
      'generation.completed',
    ])
  })

  test('goes on past a failure until the refund is settled', async () => {
    const id = newSession()
    const client = (await world.happen(id, requested()), await listenTo(`/v1/generations/${id}/events`))
    await world.happen(id, cancelled(), refundRequested())
    await expect.poll(() => ids(client)).toEqual([1, 2, 3])
    expect(client.ended).toBe('')
    await world.happen(id, waived())
    await expect.poll(() => client.ended).toBe('ended')
    expect(ids(client)).toEqual([1, 2, 3, 4])
  })

  test('waits for a session that is only accepted; 404 for one that nobody knows', async () => {
    const id = newSession()
    await world.post(taskOf({ session_id: id }))
    const client = await listenTo(`/v1/generations/${id}/events`)
    await world.happen(id, requested())
    await expect.poll(() => ids(client)).toEqual([1])
    const unknown = await world.get(`/v1/generations/${newSession()}/events`)
    expect([unknown.status, (await json(unknown))['code']]).toEqual([404, 'session_unknown'])
  })

  test('resumes behind Last-Event-ID, and says 204 when there is no more to come', async () => {
    const id = newSession()
    await world.happen(id, requested(), started(), completed())
    const path = `/v1/generations/${id}/events`
    const client = await listenTo(path, { 'last-event-id': '1' })
    await expect.poll(() => client.ended).toBe('ended')
    expect(ids(client)).toEqual([2, 3])
    expect((await world.get(path, { 'last-event-id': '3' })).status).toBe(204)
    expect((await world.get(`${path}?after=3`)).status).toBe(204)
    expect((await world.get(path, { 'last-event-id': 'x' })).status).toBe(400)
  })

  test('loses and repeats no fact, whenever the client comes', async () => {
    const sessions = upTo(30).map(() => newSession())
    for (const id of sessions) await world.happen(id, requested())
    const clients = await Promise.all(
      sessions.map(async (id, index) => {
        const listening = listenTo(`/v1/generations/${id}/events`)
        if (index % 3 > 0) await new Promise((resolve) => setTimeout(resolve, Math.random() * 10))
        await world.happen(id, started(), completed())
        return listening
      }),
    )
    await expect.poll(() => clients.every(({ ended }) => ended === 'ended')).toBe(true)
    for (const client of clients) expect(ids(client)).toEqual([1, 2, 3])
  })
})

describe('GET /v1/events', () => {
  test('tells all facts from now on', async () => {
    await world.happen(newSession(), requested())
    const client = await listenTo('/v1/events')
    await expect.poll(() => client.raw).toContain('retry:')
    const id = newSession()
    await world.happen(id, requested(), started())
    await expect.poll(() => ids(client)).toEqual([2, 3])
    expect(client.events[0]).toMatchObject({ type: 'generation.requested', sessionId: id })
  })

  test('resumes behind Last-Event-ID with the past, then live, with no gap between', async () => {
    for (let count = 0; count < 700; count++) await world.happen(newSession(), requested(), started())
    const client = await listenTo('/v1/events', { 'last-event-id': '100' })
    const writing = (async () => {
      for (let count = 0; count < 300; count++) {
        await world.happen(newSession(), requested())
        if (count % 10 === 0) await new Promise((resolve) => setTimeout(resolve, 1))
      }
    })()
    await writing
    await expect.poll(() => client.events.length).toBe(1_600)
    expect(ids(client)).toEqual(upTo(1_600, 101))
  })

  test('leaves no gap and repeats nothing, whenever clients come and however slow the archive is', async () => {
    const { archive } = world.store
    const happen = world.happen
    const late = () => new Promise((resolve) => setTimeout(resolve, Math.random() * 8))
    await reopen({
      archive: {
        ...archive,
        head: () => archive.head().then(async (head) => (await late(), head)),
        read: (after, limit) => archive.read(after, limit).then(async (page) => (await late(), page)),
      },
    })
    const total = 400
    const writing = (async () => {
      for (let count = 0; count < total; count++) {
        await happen(newSession(), requested())
        await new Promise((resolve) => setTimeout(resolve, 1))
      }
    })()
    const clients = await Promise.all(
      upTo(30).map(async (delay) => {
        await new Promise((resolve) => setTimeout(resolve, delay * 10))
        const after = Math.floor(Math.random() * ((await archive.head()) + 1))
        return { after, client: await listenTo(`/v1/events?after=${after}`) }
      }),
    )
    await writing
    await expect
      .poll(() => clients.every(({ client }) => client.events.at(-1)?.id === total), { timeout: 10_000 })
      .toBe(true)
    for (const { after, client } of clients) expect(ids(client)).toEqual(upTo(total - after, after + 1))
  })

  test('refuses to go on from an event that was never sent', async () => {
    await world.happen(newSession(), requested())
    expect((await listenTo('/v1/events?after=1')).response.status).toBe(200)
    const response = await world.get('/v1/events?after=2')
    expect([response.status, (await json(response))['code']]).toEqual([400, 'unknown_position'])
  })

  test('reads the archive once for all clients, and not at all for none', async () => {
    let reads = 0
    const { archive } = world.store
    const counted: typeof archive = {
      ...archive,
      read: (after, limit) => {
        reads += 1
        return archive.read(after, limit)
      },
    }
    const happen = world.happen
    await reopen({ archive: counted })
    await happen(newSession(), requested())
    const clients = await Promise.all(upTo(20).map(() => listenTo('/v1/events')))
    await new Promise((resolve) => setTimeout(resolve, 20))
    reads = 0
    await happen(newSession(), requested())
    await expect.poll(() => clients.every(({ events }) => events.length === 1)).toBe(true)
    expect(reads).toBe(1)
    for (const client of clients) client.leave()
    await expect.poll(() => world.metrics()).toContain('wearon_http_streams 0')
    reads = 0
    await happen(newSession(), requested())
    await happen(newSession(), requested())
    expect(reads).toBe(0)
  })

  test('goes on by itself when the archive could not be read for a moment', async () => {
    let fails = 1
    const { archive } = world.store
    const happen = world.happen
    await reopen({
      archive: {
        ...archive,
        read: (after, limit) => (fails-- > 0 ? Promise.reject(new Error('gone away')) : archive.read(after, limit)),
      },
    })
    const client = await listenTo('/v1/events')
    await expect.poll(() => client.raw).toContain('retry:')
    await happen(newSession(), requested())
    await expect.poll(() => ids(client), { timeout: 5_000 }).toEqual([1])
  })

  test('shows that it lives while nothing happens', async () => {
    await reopen({ limits: { heartbeatMs: 10 } })
    const client = await listenTo('/v1/events')
    await expect.poll(() => client.raw.split(': \n\n').length).toBeGreaterThan(3)
  })

  test('takes a bounded number of clients', async () => {
    await reopen({ limits: { streamsMax: 2 } })
    const [first] = [await listenTo('/v1/events'), await listenTo('/v1/events')]
    const third = await world.get('/v1/events')
    expect([third.status, third.headers.get('retry-after')]).toEqual([503, '10'])
    expect((await json(third))['code']).toBe('streams_exhausted')
    first.leave()
    await expect.poll(async () => (await listenTo('/v1/events')).response.status).toBe(200)
  })

  test('cuts off a client that does not read, while one that does gets every fact of the flood', async () => {
    await reopen({ limits: { streamBufferBytes: 64 * 1024, stalledMs: 300 } })
    const slow = connect(world.port, '127.0.0.1')
    let wasCut = false
    slow.on('close', () => {
      wasCut = true
    })
    slow.on('error', () => {})
    slow.write('GET /v1/events HTTP/1.1\r\nHost: localhost\r\n\r\n')
    slow.pause()
    const quick = await listenTo('/v1/events')
    await expect.poll(() => world.metrics()).toContain('wearon_http_streams 2')
    // More than the buffers of both ends of a connection hold.
    const flood = requested({ prompt: 'x'.repeat(10_000) })
    for (let count = 0; count < 2_000; count++) await world.happen(newSession(), flood)
    await expect.poll(() => quick.events.length, { timeout: 10_000 }).toBe(2_000)
    expect(ids(quick)).toEqual(upTo(2_000))
    await expect.poll(() => world.metrics(), { timeout: 5_000 }).toContain('wearon_http_streams 1\n')
    slow.resume()
    await expect.poll(() => wasCut).toBe(true)
    await world.happen(newSession(), requested())
    await expect.poll(() => quick.events.length).toBe(2_001)
  })

  test('ends in order when the server closes, so that clients go elsewhere', async () => {
    const client = await listenTo('/v1/events')
    await world.close(5_000)
    await expect.poll(() => client.ended).toBe('ended')
  })

  test('answers HEAD without opening a stream', async () => {
    const response = await world.send('HEAD', '/v1/events')
    expect(response.status).toBe(200)
    expect(await world.metrics()).not.toContain('wearon_http_streams 1')
  })
})
