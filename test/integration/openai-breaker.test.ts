import { afterAll, afterEach, beforeEach, expect, test } from 'vitest'
import type { SessionId } from '../../src/events/ids.ts'
import { errorBody, imageBody, madePng } from '../support/openai-answers.ts'
import { type Act, startOpenai } from '../support/openai-server.ts'
import { openWorld, type World } from '../support/openai-world.ts'

const server = await startOpenai()
const image: Act = { body: imageBody(await madePng()) }
const quota: Act = { status: 429, body: errorBody('insufficient_quota') }
const badKey: Act = { status: 401, body: errorBody('invalid_api_key') }
const SESSIONS = 14
let world: World
beforeEach(async () => {
  world = await openWorld({ server, concurrency: 1 })
})
afterEach(() => world.close())
afterAll(() => server.close())

const endsOf = async (sessions: readonly SessionId[]) => {
  const facts = await Promise.all(sessions.map((session) => world.facts(session)))
  return facts.map((all) =>
    all
      .flatMap((fact) =>
        fact.type === 'generation.failed' ? [fact.data.code] : fact.type === 'generation.completed' ? ['image'] : [],
      )
      .join(),
  )
}
/** Each failure of some codes pages somebody as well; these are the breaker's own. */
const alerts = () => world.logged.filter((fields) => 'nextProbeMs' in fields)

test.each([
  ['a quota that is used up', quota, 'quota_exhausted'],
  ['a key that is not known', badKey, 'provider_rejected'],
])(
  'of sessions behind %s the first fails, and the others wait as they are until a probe is accepted',
  async (_, refusal, code) => {
    server.act(refusal, image)
    const startedAt = world.clock.now()
    const sessions = [await world.order(), await world.order(), await world.order()]
    await world.until(() => server.calls.length === 1 && world.metrics.get('provider_breaker_open') === 1)
    expect(alerts()).toMatchObject([{ alert: true, code, nextProbeMs: 30_000 }])
    await world.ended()
    expect(await endsOf(sessions)).toEqual([code, 'image', 'image'])
    expect(sessions.map((session) => world.refunds(session))).toEqual([1, 0, 0])
    expect([server.calls.length, server.paid]).toEqual([3, 2])
    expect(world.clock.now() - startedAt).toBeGreaterThanOrEqual(30_000)
    expect(world.metrics.get('provider_breaker_open')).toBe(0)
    // Who waited has not been put off: nothing was tried.
    const facts = await Promise.all(sessions.slice(1).map((session) => world.facts(session)))
    for (const all of facts)
      expect(all.map(({ type }) => type)).toEqual([
        'generation.requested',
        'generation.started',
        'generation.completed',
      ])
  },
)

test('a rate limit makes the others wait as they are, so that they do not spend their only retry on it', async () => {
  server.act({ status: 429, body: errorBody('rate_limit_exceeded'), headers: { 'retry-after': '7' } }, image)
  const sessions = [await world.order(), await world.order(), await world.order()]
  const [first] = sessions
  await world.until(
    async () => first !== undefined && (await world.facts(first)).at(-1)?.type === 'generation.deferred',
  )
  await world.clock.advance(6_000)
  expect(server.calls).toHaveLength(1)
  await world.ended()
  expect(await endsOf(sessions)).toEqual(['image', 'image', 'image'])
  expect([server.calls.length, server.paid]).toEqual([4, 3])
})

test('while the account stays refused few sessions pay for it, and the others end when they are too old', async () => {
  server.act(quota)
  const sessions: SessionId[] = []
  for (let count = 0; count < SESSIONS; count++) sessions.push(await world.order())
  await world.ended()
  const ends = await endsOf(sessions)
  // One at first, and a probe after 30 s, 1, 2, 4, 8, 10, 10, 10 and 10 minutes.
  expect(ends.filter((end) => end === 'quota_exhausted')).toHaveLength(10)
  expect(ends.filter((end) => end === 'expired')).toHaveLength(SESSIONS - 10)
  expect(server.calls).toHaveLength(10)
  expect(alerts()).toHaveLength(10)
  expect(sessions.map((session) => world.refunds(session))).toEqual(Array(SESSIONS).fill(1))
})

test('a try that began before is put off without a call, and none of its retries is used up', async () => {
  const two = await openWorld({ server, concurrency: 2, slowPicturesMs: [0, 5_000] })
  // The second session is still at its pictures when the first is refused; afterwards every retry that there is gets used.
  server.act(quota, { status: 500 }, { status: 500 }, { status: 500 }, image)
  // Two requests' worth of the rate, so that both start.
  await two.clock.advance(2_000)
  const [first, second] = [await two.order(), await two.order()]
  await two.ended()
  const facts = await two.facts(second)
  const deferred = facts.flatMap((fact) => (fact.type === 'generation.deferred' ? [fact.data.code] : []))
  await two.close()
  expect((await two.facts(first)).at(-1)?.type).toBe('refund.issued')
  expect(deferred).toEqual(['provider_paused', 'provider_unavailable', 'provider_unavailable', 'provider_unavailable'])
  expect(facts.at(-1)?.type).toBe('generation.completed')
  expect(server.calls).toHaveLength(5)
})

test('calls, tokens and cost are counted', async () => {
  server.act({ status: 500 }, image)
  await world.order()
  await world.ended()
  expect(Object.fromEntries(world.metrics)).toMatchObject({
    'provider_calls_total provider_unavailable': 1,
    'provider_calls_total image': 1,
    'provider_tokens_total text_in': 100,
    'provider_tokens_total image_in': 900,
    'provider_tokens_total text_out': 16,
    'provider_tokens_total image_out': 1_584,
    provider_cost_usd_total: 0.058_548,
  })
})
