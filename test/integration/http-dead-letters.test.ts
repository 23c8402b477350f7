import { randomUUID } from 'node:crypto'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { memoryLog } from '../../src/adapters/memory/event-log.ts'
import { MESSAGE_BYTES_MAX } from '../../src/events/command.ts'
import { realClock } from '../support/clock.ts'
import { eventually } from '../support/eventually.ts'
import { burial, commitOf } from '../support/log-samples.ts'
import { type LogWorker, startWorker } from '../support/log-worker.ts'
import { json, openWorld, type World } from './http-world.ts'

let world: World
let worker: LogWorker
let deaths: number

beforeEach(async () => {
  const log = memoryLog({ clock: realClock, newId: randomUUID, partitions: 1 })
  worker = startWorker(log)
  world = await openWorld({ log })
  deaths = 0
})
afterEach(async () => {
  await worker.stop()
  await world.close(0)
})

const die = async (bytes: string | Uint8Array): Promise<string> => {
  const at = `2026-01-15T10:00:${10 + ++deaths}.000Z`
  const died = burial(0, `${deaths}`, bytes, { at, reason: 'not JSON' })
  const lease = await eventually(() => worker.lease(0))
  await lease.commit(commitOf({ deadLetters: [died] }))
  return died.id
}
const act = (path: string, body: unknown) =>
  fetch(`${world.url}/v1/dead-letters/${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
const codeOf = async (response: Response) => [response.status, (await json(response))['code']]

test('letters are listed in pages, by state, without their bytes', async () => {
  const [first, second] = [await die('{'), await die('[')]
  const page = await json(await world.get('/v1/dead-letters?limit=1'))
  expect(page['items']).toEqual([
    {
      id: second,
      partition: 0,
      reason: 'not JSON',
      source: 'list',
      size_bytes: 1,
      attempts: 1,
      first_seen_at: '2026-01-15T10:00:12.000Z',
      last_seen_at: '2026-01-15T10:00:12.000Z',
      state: 'waiting',
      replays: 0,
      last_action: null,
    },
  ])
  const next = await json(await world.get(`/v1/dead-letters?limit=1&cursor=${String(page['next'])}`))
  expect(next).toMatchObject({ items: [{ id: first }], next: null })
  expect(await json(await world.get('/v1/dead-letters?state=discarded'))).toEqual({ items: [], next: null })
  for (const query of ['cursor=1', 'state=lost', 'limit=0', 'by=Ada'])
    expect((await world.get(`/v1/dead-letters?${query}`)).status).toBe(400)
})

test('a letter is shown as text where it is UTF-8, else as base64, and no more of it than a readable message has', async () => {
  const show = async (bytes: string | Uint8Array) => json(await world.get(`/v1/dead-letters/${await die(bytes)}`))
  expect(await show('{"prompt": "grün')).toMatchObject({ text: '{"prompt": "grün', bytes_base64: null, is_cut: false })
  expect(await show(Buffer.from([0, 255]))).toMatchObject({ text: null, bytes_base64: 'AP8=', is_cut: false })
  const long = await show(`x${'ü'.repeat(MESSAGE_BYTES_MAX)}`)
  expect(long).toMatchObject({ is_cut: true, bytes_base64: null, size_bytes: 1 + 2 * MESSAGE_BYTES_MAX })
  expect(long['text']).toBe(`x${'ü'.repeat(MESSAGE_BYTES_MAX / 2 - 1)}`)
  const unknown = burial(0, '1', 'unknown').id
  expect(await codeOf(await world.get(`/v1/dead-letters/${unknown}`))).toEqual([404, 'letter_unknown'])
  expect(await codeOf(await world.get('/v1/dead-letters/17'))).toEqual([400, 'invalid_request'])
})

test('a letter is replayed once, and says by whom', async () => {
  const id = await die('{')
  expect(await json(await act(`${id}/replay`, { by: 'Ada' }))).toMatchObject({
    outcome: 'replayed',
    letter: { id, state: 'replayed', replays: 1, last_action: { by: 'Ada', reason: null } },
  })
  expect(await json(await act(`${id}/replay`, { by: 'Bob' }))).toMatchObject({
    outcome: 'replayed_before',
    letter: { last_action: { by: 'Ada' } },
  })
  expect(await codeOf(await act(`${id}/discard`, { by: 'Bob', reason: 'garbage' }))).toEqual([409, 'letter_replayed'])
  const taken = await worker.lease(0).take({ messages: 9, bytes: 1_000 })
  expect(taken.map(({ source, bytes }) => [source, Buffer.from(bytes).toString()])).toEqual([['replay', '{']])
  expect(await world.metrics()).toContain('wearon_dead_letter_actions_total{action="replay"} 1')
})

test('a letter is discarded with a reason, and then replayed only by force', async () => {
  const id = await die('{')
  expect(await codeOf(await act(`${id}/discard`, { by: 'Ada' }))).toEqual([400, 'invalid_request'])
  const body = { by: 'Ada', reason: 'the producer was mended' }
  expect(await json(await act(`${id}/discard`, body))).toMatchObject({
    outcome: 'discarded',
    letter: { state: 'discarded', last_action: body },
  })
  expect(await json(await act(`${id}/discard`, body))).toMatchObject({ outcome: 'discarded_before' })
  expect(await codeOf(await act(`${id}/replay`, { by: 'Ada' }))).toEqual([409, 'letter_discarded'])
  expect(await json(await act(`${id}/replay`, { by: 'Ada', force: true }))).toMatchObject({ outcome: 'replayed' })
})

test('a letter that died after several replays needs force', async () => {
  const id = await die('{')
  for (let replays = 0; replays < 5; replays++) {
    expect((await act(`${id}/replay`, { by: 'Ada' })).status).toBe(200)
    await die('{')
  }
  expect(await codeOf(await act(`${id}/replay`, { by: 'Ada' }))).toEqual([409, 'letter_worn_out'])
})

test('who acts must say so, and about a letter that is kept', async () => {
  const id = await die('{')
  for (const body of [{}, { by: '' }, { by: 'Ada', why: 'x' }, 'Ada'])
    expect(await codeOf(await act(`${id}/replay`, body))).toEqual([400, 'invalid_request'])
  const unknown = burial(0, '1', 'unknown').id
  expect(await codeOf(await act(`${unknown}/replay`, { by: 'Ada' }))).toEqual([404, 'letter_unknown'])
  expect(await codeOf(await act(`${unknown}/discard`, { by: 'Ada', reason: 'x' }))).toEqual([404, 'letter_unknown'])
})
