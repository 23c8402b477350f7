import { once } from 'node:events'
import sharp, { type Sharp } from 'sharp'
import { afterEach, beforeAll, describe, expect, test } from 'vitest'
import { BodyAnswer } from '../../src/body/answer.ts'
import type { NoEstimate, PoseEstimate } from '../../src/machines/ports/pose.ts'
import { drawPerson } from '../../src/pictures/draw.ts'
import { addresses } from '../support/attacks/addresses.ts'
import { says, stalls, status } from '../support/attacks/wire.ts'
import { eventually } from '../support/eventually.ts'
import { matching } from '../support/matching.ts'
import { memoryPose, nobody, standing } from '../support/pose-memory.ts'
import { type BodyWorld, openBodyWorld } from '../support/pose-world.ts'
import { json, openWorld } from './http-world.ts'

let photo: Uint8Array
let world: BodyWorld
const open = async (
  answer: Parameters<typeof memoryPose>[0] = standing,
  options: Partial<Parameters<typeof openBodyWorld>[0]> & { status?: Parameters<typeof memoryPose>[1] } = {},
) => {
  const { status: told, ...more } = options
  const { engine, pictures } = memoryPose(answer, told)
  world = await openBodyWorld({ engine, files: { 'person.jpg': photo, 'side.jpg': photo }, ...more })
  return pictures
}

beforeAll(async () => {
  photo = await drawPerson(1)
})
afterEach(() => world.close())

const TEXT: unknown = expect.any(String)
const NUMBER: unknown = expect.any(Number)
const including = (...members: unknown[]): unknown => expect.arrayContaining(members)
const logged = () => JSON.stringify(world.lines)

describe('a size from a photo', () => {
  test('answers what old clients read, and no measurement that they would refuse', async () => {
    await open()
    const answer = await world.estimate({}, '', { 'x-request-id': 'req_of_the_caller' })
    expect(answer.status).toBe(200)
    expect(answer.headers.get('x-request-id')).toBe('req_of_the_caller')
    const body = await json(answer)
    expect(() => BodyAnswer.parse(body)).not.toThrow()
    expect(body).toMatchObject({
      recommended_size: matching(/^(?:XS|S|M|L|XL|XXL)$/),
      confidence: NUMBER,
      body_type: matching(/^(?:athletic|slim|average|broad)$/),
      size_range: { lower: TEXT, upper: TEXT },
    })
    const allowed = ['chest_cm', 'waist_cm', 'hip_cm', 'shoulder_cm', 'inseam_cm', 'height_cm']
    expect(allowed).toEqual(expect.arrayContaining(Object.keys(body['measurements'] as object)))
    expect(body['basis']).toMatchObject({ inputs: ['height', 'landmarks', 'front_widths'], chart: 'unisex' })
  })

  test('gives the engine upright pixels of at most 1280 px, and the same answer again', async () => {
    const pictures = await open()
    const turned = await sharp(photo).resize(1_600).withMetadata({ orientation: 6 }).jpeg().toBuffer()
    await world.close()
    const again = await open(standing, { files: { 'person.jpg': turned } })
    const [one, two] = [await json(await world.estimate()), await json(await world.estimate())]
    expect(one).toEqual(two)
    expect(pictures).toEqual([])
    expect(again.map(({ width, height, rgb }) => [width, height, rgb.length])).toEqual(
      Array.from({ length: 2 }, () => [1_280, 853, 1_280 * 853 * 3]),
    )
  })

  test('takes weight, sex, age, chart, fit and a photo from the side', async () => {
    const pictures = await open()
    const said = { weight_kg: 64, sex: 'male', age: 30, chart: 'wearon_v1', fit: 'relaxed' }
    const answer = await json(await world.estimate({ ...said, side_image_url: world.urlOf('side.jpg') }))
    expect(answer).toMatchObject({
      basis: { inputs: including('weight', 'age', 'sex'), chart: 'wearon_v1', fit: 'relaxed' },
      // It shows the front again.
      warnings: including({ code: 'side_photo_not_used', hint: TEXT }),
    })
    expect(pictures).toHaveLength(2)
  })
})

describe('the bytes of a photo instead of its address', () => {
  const send = (query: string, body: Uint8Array = photo) =>
    fetch(`${world.url}/v1/estimate-body/photo${query}`, {
      method: 'POST',
      headers: { 'content-type': 'image/jpeg' },
      body: Buffer.from(body),
    })

  test('are answered as the address is, and nothing is fetched', async () => {
    await open()
    const said = { weight_kg: 64.5, sex: 'male', age: 30, chart: 'eu_men', fit: 'relaxed' } as const
    const byAddress = await json(await world.estimate(said))
    const query = new URLSearchParams({ height_cm: '178', ...said, weight_kg: '64.5', age: '30' })
    expect(await json(await send(`?${String(query)}`))).toEqual(byAddress)
    expect(world.fetched()).toBe(1)
    expect(logged()).not.toContain('64.5')
  })

  test('are refused where they are no picture, and what is said of the body as it is everywhere', async () => {
    const pictures = await open()
    const none = await send('?height_cm=178', Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"/>'))
    expect([none.status, (await json(none))['code']]).toEqual([422, 'no_picture'])
    for (const query of ['', '?height_cm=99', '?height_cm=1e2', '?height_cm=178&sex=x', '?height_cm=178&image_url=x'])
      expect([query, (await send(query)).status]).toEqual([query, 400])
    expect((await send('?height_cm=178&overlay=1')).status).toBe(400)
    expect(pictures).toEqual([])
  })
})

describe('what is wrong with a request', () => {
  test.each([
    ['an unknown field', { image: 'x' }],
    ['a height of nobody', { height_cm: 99 }],
    ['a height of a giant', { height_cm: 251 }],
    ['a height in words', { height_cm: '178' }],
    ['an address that is no web', { image_url: 'ftp://example.com/a.jpg' }],
    ['a file', { image_url: 'file:///etc/passwd' }],
    ['no address', { image_url: undefined }],
    ['JSON that is none', '{"image_url":'],
    ['a list', '[]'],
  ])('%s: 400, and nothing is fetched', async (_what, changes) => {
    await open()
    const answer = await world.estimate(changes)
    expect(answer.status).toBe(400)
    expect(await json(answer)).toMatchObject({ detail: TEXT, request_id: TEXT })
    expect(world.fetched()).toBe(0)
  })

  test('another method, another type, another question', async () => {
    await open()
    expect((await world.get('/estimate-body')).status).toBe(405)
    expect((await world.estimate({}, '', { 'content-type': 'text/plain' })).status).toBe(415)
    expect((await world.estimate({}, '?debug=1')).status).toBe(400)
  })
})

describe('pictures that cannot be had or read', () => {
  const jpegStart = Buffer.from('ffd8ffe0', 'hex')
  const files = {
    gone: says(status('404 Gone')),
    html: Buffer.from('<!doctype html><script>alert(1)</script>'),
    svg: Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"><image href="file:///etc/passwd"/></svg>'),
    empty: Buffer.alloc(0),
    broken: jpegStart,
    elsewhere: says(status('302 Found', 'location: http://169.254.169.254/')),
    down: says(status('503 Down')),
    silent: stalls(),
  }
  test.each([
    ['gone', 'input_rejected'],
    ['html', 'input_rejected'],
    ['svg', 'input_rejected'],
    ['empty', 'input_rejected'],
    ['broken', 'input_rejected'],
    ['elsewhere', 'input_rejected'],
    ['down', 'input_unavailable'],
    ['silent', 'input_unavailable'],
  ])('%s: 400, %s', async (path, code) => {
    const pictures = await open(standing, { files, fetchMs: 300 })
    const answer = await world.estimate({ image_url: world.urlOf(path) })
    expect(answer.status).toBe(400)
    expect(await json(answer)).toMatchObject({
      code,
      detail: TEXT,
      errors: [{ pointer: '#/image_url', detail: TEXT }],
    })
    expect(pictures).toEqual([])
  })

  test('addresses where nobody from outside may look: 400 each, and no connection', async () => {
    await open(standing, { hosts: [], fetchMs: 500, estimatesMax: addresses.length })
    const { port } = new URL(world.urlOf(''))
    const statuses = addresses.map(async ([what, url]) => {
      const answer = await world.estimate({ image_url: url.replace('PORT', port) })
      return [what, url, answer.status]
    })
    expect(await Promise.all(statuses)).toEqual(addresses.map(([what, url]) => [what, url, 400]))
    expect(world.fetched()).toBe(0)
  })

  test('says which of two pictures it was', async () => {
    await open(standing, { files: { 'person.jpg': photo, ...files } })
    const answer = await world.estimate({ side_image_url: world.urlOf('gone') })
    expect(await json(answer)).toMatchObject({ code: 'input_rejected', errors: [{ pointer: '#/side_image_url' }] })
  })
})

describe('photos that will not do', () => {
  const turned = (size: { width: number; height: number }): PoseEstimate => {
    const seen = standing(size)
    const points = seen.body?.world.map((point) => ({ ...point, x: 0, z: point.x })) ?? []
    return { ...seen, body: seen.body && { ...seen.body, world: points } }
  }
  const two = (size: { width: number; height: number }): PoseEstimate => {
    const seen = standing(size)
    const aside = seen.people.map((one) => ({
      ...one,
      keypoints: one.keypoints.map(({ x, ...point }) => ({ ...point, x: x + size.width / 2 })),
    }))
    return { ...seen, people: [...seen.people, ...aside] }
  }
  test.each([
    ['nobody', () => nobody, 'no_person'],
    ['a second person', two, 'several_people'],
    ['a body that is turned', turned, 'turned'],
  ])('%s: 422 with the reason and what to do', async (_what, answer, reason) => {
    await open(answer)
    const refused = await world.estimate()
    expect(refused.status).toBe(422)
    const body = await json(refused)
    expect(body).toMatchObject({ code: 'no_usable_pose', detail: TEXT })
    expect(body['reasons']).toEqual(expect.arrayContaining([{ code: reason, hint: matching(/\w{3}.*\./) }]))
    expect(await world.metrics()).toContain(`wearon_body_refusals_total{reason="${reason}"} 1`)
  })
})

describe('an engine that does not answer', () => {
  test.each(['saturated', 'model_not_ready', 'engine_crashed', 'deadline'] satisfies NoEstimate['code'][])(
    '%s: 503, and when to come again',
    async (code) => {
      await open(() => ({ code, retryAfterMs: 1_200 }))
      const answer = await world.estimate()
      expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, '2'])
      expect(await json(answer)).toMatchObject({ code, detail: TEXT })
      expect(await world.metrics()).toContain(`wearon_body_estimates_total{outcome="${code}"} 1`)
    },
  )

  test.each(['loading', 'failed', 'closed'] as const)('%s: 503 before anything is fetched', async (state) => {
    await open(standing, { status: { state } })
    const answer = await world.estimate()
    expect(answer.status).toBe(503)
    expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0)
    expect(await json(answer)).toMatchObject({ code: 'model_not_ready' })
    expect(world.fetched()).toBe(0)
    expect(await json(await world.get('/health'))).toMatchObject({ size_rec_model_loaded: false, pose: { state } })
    expect((await world.get('/readyz')).status).toBe(200)
  })

  test('turned off: 503', async () => {
    await open()
    const { url, close } = await openWorld()
    const answer = await fetch(`${url}/estimate-body`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ image_url: 'https://example.com/a.jpg', height_cm: 178 }),
    })
    expect(answer.status).toBe(503)
    expect(await json(answer)).toMatchObject({ code: 'model_off' })
    await close(0)
  })

  test('a fault of ours: 500, and nothing of it is told', async () => {
    await open(() => {
      throw new Error('secret of the engine')
    })
    const answer = await world.estimate()
    expect(answer.status).toBe(500)
    expect(await answer.text()).not.toContain('secret')
    expect(await world.metrics()).toContain('wearon_body_estimates_total{outcome="internal"} 1')
  })

  test('never: 503 when the time is over, and the engine is told to stop', async () => {
    let stopped: unknown = null
    const never = async (_: unknown, signal: AbortSignal) => {
      await once(signal, 'abort')
      stopped = signal.reason
      signal.throwIfAborted()
      return nobody
    }
    await open(never, { deadlineMs: 300 })
    const answer = await world.estimate()
    expect(answer.status).toBe(503)
    expect(await json(answer)).toMatchObject({ code: 'deadline' })
    expect(stopped).toBeInstanceOf(Error)
  })

  test('never, and not to be stopped: 503 all the same', async () => {
    await open(() => new Promise<never>(() => {}), { deadlineMs: 100 })
    const answer = await world.estimate()
    expect(answer.status).toBe(503)
    expect(await json(answer)).toMatchObject({ code: 'too_slow' })
  })

  test('a line before the models that is full: 503 before anything is fetched', async () => {
    await open(standing, { status: { waiting: 8 } })
    const answer = await world.estimate()
    expect([answer.status, (await json(answer))['code'], world.fetched()]).toEqual([503, 'saturated', 0])
  })

  test('more at once than there are places: 503 at once, and a place again when one is done', async () => {
    const { promise, resolve } = Promise.withResolvers<PoseEstimate>()
    const pictures = await open(() => promise, { estimatesMax: 2 })
    const first = [world.estimate(), world.estimate()]
    await eventually(() => expect(pictures).toHaveLength(2))
    const third = await world.estimate()
    expect([third.status, third.headers.get('retry-after')]).toEqual([503, '1'])
    expect(await json(third)).toMatchObject({ code: 'saturated' })
    resolve(nobody)
    expect((await Promise.all(first)).map((answer) => answer.status)).toEqual([422, 422])
    expect((await world.estimate()).status).toBe(422)
  })
})

describe('what is known afterwards', () => {
  test('nothing but a hash of the photo and how it ended', async () => {
    await open()
    const answer = await json(await world.estimate({ weight_kg: 74.123 }))
    await world.estimate({ image_url: world.urlOf('person.jpg?secret=1') })
    await world.estimate({ image_url: 'http://93.184.216.34/secret.jpg' })
    const told = world.lines.filter(({ message }) => message === 'estimate of a body')
    expect(told).toMatchObject([
      { outcome: 'answered', photo: matching(/^[0-9a-f]{16}$/) },
      { outcome: 'input_unavailable', why: TEXT },
      { outcome: 'input_rejected', why: TEXT },
    ])
    for (const secret of ['person.jpg', 'secret', '127.0.0.1', '93.184', '178', '74.123'])
      expect(logged()).not.toContain(secret)
    expect(logged()).not.toContain(String((answer['measurements'] as { chest_cm: number }).chest_cm))
  })

  test('metrics of each stage, by outcomes and reasons of a fixed number', async () => {
    await open()
    await world.estimate()
    const metrics = await world.metrics()
    expect(metrics).toContain('wearon_body_estimates_total{outcome="answered"} 1')
    for (const stage of ['fetch', 'decode', 'queue', 'blaze_pose', 'move_net', 'measure'])
      expect(metrics).toContain(`wearon_body_stage_seconds_count{stage="${stage}"} 1`)
    expect(await json(await world.get('/health'))).toMatchObject({
      status: 'ok',
      size_rec_model_loaded: true,
      pose: { state: 'ready', backend: 'wasm', engines: 1, engines_ready: 1 },
    })
  })
})

describe('what was seen, drawn over the photo', () => {
  test('is refused where it is not turned on', async () => {
    await open()
    const answer = await world.estimate({}, '?overlay=1')
    expect(answer.status).toBe(400)
    expect(await answer.text()).toContain('POSE_OVERLAY')
    expect((await world.estimate({}, '?overlay=0')).status).toBe(200)
  })

  test.each([
    ['answered', standing, 200],
    ['refused', () => nobody, 422],
  ])('%s: the photo in its size, with something on it', async (_what, engine, code) => {
    await open(engine, { overlay: true })
    const answer = await world.estimate({}, '?overlay=1')
    expect([answer.status, answer.headers.get('content-type')]).toEqual([code, 'image/jpeg'])
    const drawn = sharp(Buffer.from(await answer.arrayBuffer()))
    expect(await drawn.metadata()).toMatchObject({ format: 'jpeg', width: 800, height: 1_200 })
    // The dark ground of the words.
    expect(await brightness(drawn)).toBeLessThan((await brightness(sharp(photo))) - 40)
  })
})

/** Mean of the top left corner's values. */
const brightness = async (picture: Sharp): Promise<number> => {
  const corner = await picture.extract({ left: 0, top: 0, width: 100, height: 15 }).raw().toBuffer()
  return corner.reduce((sum, value) => sum + value, 0) / corner.length
}
