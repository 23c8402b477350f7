import { afterAll, describe, expect, test } from 'vitest'
import { type FailureCode, failures } from '../../src/events/codes.ts'
import { errorBody, imageBody, madePng, PRIVATE } from '../support/openai-answers.ts'
import { type Act, type Answer, startOpenai } from '../support/openai-server.ts'
import { openWorld, type World } from '../support/openai-world.ts'

interface Case {
  readonly name: string
  /** What becomes of the requests, one each; the last stays. */
  readonly acts: readonly Act[]
  readonly end: 'completed' | FailureCode
  /** Requests that the provider read in full. */
  readonly calls: number
  /** How long the session was put off each time, in ms. Chance falls in the middle: 3/4 of 2 s, 4 s, 8 s. */
  readonly waits: readonly number[]
  /** Images that were made, or may have been; 1 for `completed` and 0 otherwise, when absent. */
  readonly paid?: number
  readonly baseUrl?: string
  readonly apiKey?: string
}

const server = await startOpenai()
const png = await madePng()
const image: Answer = { body: imageBody(png) }
afterAll(() => server.close())

const refused = (status: number, code: string | null, more: Partial<Answer> & { type?: string } = {}): Answer => ({
  status,
  body: errorBody(code, more.type),
  ...more,
})
const type = { 'content-type': 'text/html' }
const html = (status: number): Answer => ({ status, body: `<html>${PRIVATE}</html>`, headers: type })
const limit = (headers: Record<string, string> = {}): Answer => refused(429, 'rate_limit_exceeded', { headers })
const until = (time: string): Answer =>
  limit({ date: 'Sat, 21 Nov 2026 10:00:00 GMT', 'retry-after': `Sat, 21 Nov 2026 ${time} GMT` })
const made = (changes: object): Answer => ({ body: imageBody(png, changes) })
const url = (text: string): Answer => made({ data: [{ url: text }] })

const ONCE = [1_500]
const THRICE = [1_500, 3_000, 6_000]
const TEN_S = [10_000]
const HOUR = [3_600_000]

type More = Pick<Case, 'paid' | 'baseUrl' | 'apiKey'>
const row = (name: string, acts: Act[], end: Case['end'], calls: number, waits: number[], more: More = {}): Case => ({
  name,
  acts,
  end,
  calls,
  waits,
  ...more,
})
/** A retry that brings an image, after this wait. */
const again = (name: string, act: Act, waits: number[], more: More = {}): Case =>
  row(name, [act, image], 'completed', 2, waits, more)
/** The first answer ends the session. An image would come next. */
const ends = (name: string, act: Act, end: FailureCode, more: More = {}): Case =>
  row(name, [act, image], end, 1, [], more)
/** No request ever leaves. */
const unsent = (name: string, baseUrl: string): Case =>
  row(name, [image], 'provider_unavailable', 0, THRICE, { baseUrl, paid: 0 })
const PAID = { paid: 1 }
const TWICE = { paid: 2 }

const success = [
  row('an image', [image], 'completed', 1, []),
  row('an image called something else than JSON', [{ ...image, headers: type }], 'completed', 1, []),
  row('an image without usage', [made({ usage: undefined })], 'completed', 1, []),
  row('an image with usage of another shape', [made({ usage: { tokens: 'many' } })], 'completed', 1, []),
]

const rateLimits = [
  again('429 rate limit', limit(), TEN_S),
  row('429 rate limit twice', [limit()], 'rate_limited', 2, TEN_S),
  row('429 that asks the client to retry', [limit({ 'x-should-retry': 'true' })], 'rate_limited', 2, TEN_S),
  again('429 slow_down', refused(429, 'slow_down'), TEN_S),
  again('429 without a body', { status: 429 }, TEN_S),
  again('429 with HTML', html(429), TEN_S),
  again('429 whose body is cut off', refused(429, 'rate_limit_exceeded', { how: 'cut' }), TEN_S),
  again('429 and Retry-After in seconds', limit({ 'retry-after': '17' }), [17_000]),
  again('429 and Retry-After longer than the client would heed', limit({ 'retry-after': '900' }), [900_000]),
  row('429 and Retry-After longer than a session lives', [limit({ 'retry-after': '86400' })], 'expired', 1, HOUR),
  again('429 and Retry-After as a date', until('10:02:05'), [125_000]),
  again('429 and Retry-After as a date that is over', until('09:00:00'), TEN_S),
  again('429 and retry-after-ms', limit({ 'retry-after-ms': '23500', 'retry-after': '1' }), [23_500]),
  again('429 and a Retry-After that cannot be read', limit({ 'retry-after': 'soon' }), TEN_S),
]

const account = [
  ends('429 insufficient_quota', refused(429, 'insufficient_quota', { type: 'insufficient_quota' }), 'quota_exhausted'),
  ends('429 insufficient_quota by type', refused(429, null, { type: 'insufficient_quota' }), 'quota_exhausted'),
  ends(
    '429 insufficient_quota with Retry-After',
    refused(429, 'insufficient_quota', { headers: { 'retry-after': '1' } }),
    'quota_exhausted',
  ),
  ends('429 credit_balance_exhausted', refused(429, 'credit_balance_exhausted'), 'quota_exhausted'),
  ends('400 billing_hard_limit_reached', refused(400, 'billing_hard_limit_reached'), 'quota_exhausted'),
  ends('402', { status: 402 }, 'quota_exhausted'),
  ends('401 for a key that is not known', image, 'provider_rejected', { apiKey: 'wrong' }),
  ends('404 model_not_found', refused(404, 'model_not_found'), 'provider_rejected'),
]

const session = [
  ends('400 moderation_blocked', refused(400, 'moderation_blocked'), 'moderation_blocked'),
  ends('400 content_policy_violation', refused(400, 'content_policy_violation'), 'moderation_blocked'),
  ends('403 moderation_blocked', refused(403, 'moderation_blocked'), 'moderation_blocked'),
  ends('400 invalid_image_file', refused(400, 'invalid_image_file'), 'input_rejected'),
  ends('400 for a parameter', refused(400, 'unknown_parameter'), 'provider_rejected'),
  ends('400 with HTML', html(400), 'provider_rejected'),
  ends('400 whose code is a key', refused(400, 'sk-proj-Secret0123456789'), 'provider_rejected'),
  ends('403', refused(403, 'unsupported_country_region_territory'), 'provider_rejected'),
  ends('413', html(413), 'provider_rejected'),
  ends('422', refused(422, null), 'provider_rejected'),
]

const moment = [
  again('408', { status: 408 }, ONCE),
  again('409', refused(409, 'conflict'), ONCE),
  row('500 for ever', [refused(500, 'server_error')], 'provider_unavailable', 4, THRICE),
  row('500, 502, 504, then an image', [html(500), html(502), html(504), image], 'completed', 4, THRICE),
  again('503 slow_down', refused(503, 'slow_down', { headers: { 'retry-after': '42' } }), [42_000]),
  again('500 whose body is cut off', refused(500, null, { how: 'cut' }), ONCE),
  again('500 whose body drips for ever', refused(500, null, { how: 'drip' }), ONCE),
  again('529', { status: 529 }, ONCE),
  row('500, 429, 500, then an image', [html(500), limit(), html(500), image], 'completed', 4, [1_500, 10_000, 3_000]),
]

const unanswered = [
  again('reset after it was read', 'reset', ONCE, TWICE),
  row('reset after it was read, twice', ['reset'], 'outcome_unknown', 2, ONCE, TWICE),
  again('no answer within 180 s', 'hang', ONCE, TWICE),
  row('no answer within 180 s, twice', ['hang'], 'outcome_unknown', 2, ONCE, TWICE),
  row('reset before it was read, twice', ['unread'], 'outcome_unknown', 0, ONCE, { paid: 0 }),
  row('an image that is cut off, twice', [{ ...image, how: 'cut' }], 'outcome_unknown', 2, ONCE, TWICE),
  again('an image that drips for ever', { ...image, how: 'drip' }, ONCE, TWICE),
  row('reset, 500, reset', ['reset', html(500), 'reset'], 'outcome_unknown', 3, [1_500, 1_500], TWICE),
  row('reset, then 400', ['reset', refused(400, 'moderation_blocked')], 'moderation_blocked', 2, ONCE, PAID),
]

const neverSent = [
  unsent('refused connections', 'http://127.0.0.1:1/v1'),
  unsent('a name that nobody knows', 'http://openai.invalid/v1'),
  unsent('a server that speaks no TLS', server.url.replace('http:', 'https:')),
]

/** Such an answer was paid, and a second request would be paid again. */
const malformed = [
  ends('JSON that ends too early', { body: '{"data":[{"b64_json":"iVBO' }, 'provider_malformed', PAID),
  ends('HTML for an image', html(200), 'provider_malformed', PAID),
  ends('an empty body', { body: '' }, 'provider_malformed', PAID),
  ends('no data', made({ data: [] }), 'provider_malformed', PAID),
  ends('neither an image nor its address', made({ data: [{}] }), 'provider_malformed', PAID),
  ends('base64 of what is no picture', { body: imageBody(Buffer.from('<svg/>')) }, 'provider_malformed', PAID),
  ends('half a picture', { body: imageBody(png.subarray(0, png.byteLength / 2)) }, 'provider_malformed', PAID),
  ends('the address of somebody else', url('http://169.254.169.254/latest'), 'provider_malformed', PAID),
  ends('204', { status: 204 }, 'provider_malformed'),
  ends('307', { status: 307, headers: { location: 'http://127.0.0.1:1/v1/images/edits' } }, 'provider_malformed'),
]

const run = async (acts: readonly Act[], world: World) => {
  server.act(...acts)
  const id = await world.order()
  await world.ended()
  const facts = await world.facts(id)
  const waits = facts.flatMap((fact) =>
    fact.type === 'generation.deferred' ? [Date.parse(fact.data.retryAt) - Date.parse(fact.at)] : [],
  )
  const ending = facts.flatMap((fact) => {
    if (fact.type === 'generation.failed') return [fact.data.code]
    return fact.type === 'generation.completed' ? ['completed'] : []
  })
  const seen = { end: ending, calls: server.calls.length, waits, paid: server.paid, refunds: world.refunds(id) }
  return { facts, seen }
}

const check = async ({ end, calls, waits, paid, acts, baseUrl, apiKey }: Case) => {
  const world = await openWorld({ server, ...(baseUrl && { baseUrl }), ...(apiKey && { apiKey }) })
  const { facts, seen } = await run(acts, world)
  await world.close()
  const refunds = end === 'completed' ? 0 : 1
  expect(seen).toEqual({ end: [end], calls, waits, paid: paid ?? 1 - refunds, refunds })
  // What people read is ours, and nothing of what the provider said goes on.
  const failed = facts.find((fact) => fact.type === 'generation.failed')
  expect(failed?.data.message).toBe(end === 'completed' ? undefined : failures[end].message)
  const told = JSON.stringify([facts, world.logged]).replaceAll(/https:\/\/images\.example/g, '')
  expect(told).not.toMatch(/sk-|https?:|Something about|<html|secret/i)
}

describe.each([
  ['success', success],
  ['a rate limit: once, after Retry-After', rateLimits],
  ['a refusal of the account', account],
  ['a refusal of the session', session],
  ['a failure of the moment: with backoff, up to OPENAI_MAX_RETRIES', moment],
  ['no whole answer after it was sent: once, it may have been paid', unanswered],
  ['nothing was sent', neverSent],
  ['an answer without an image that can be used', malformed],
])('%s', (_, cases) => {
  test.each(cases)('$name: $end', check)
})
