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
  /** Requests that were sent in full. */
  readonly calls: number
  /** How long the session was put off each time, in ms. Chance falls in the middle: 3/4 of 2 s, 4 s, 8 s. */
  readonly waits: readonly number[]
  /** Images that were made, or may have been; 1 for `completed` and 0 otherwise, when absent. */
  readonly paid?: number
  readonly baseUrl?: string
  readonly apiKey?: string
}

const once = [1_500]
const thrice = [1_500, 3_000, 6_000]
const TEN_S = 10_000

const refused = (status: number, code: string | null, more: Partial<Answer> & { type?: string } = {}): Answer => ({
  status,
  body: errorBody(code, more.type),
  ...more,
})
const html = (status: number): Answer => ({
  status,
  body: `<html>${PRIVATE}</html>`,
  headers: { 'content-type': 'text/html' },
})
const after = (headers: Record<string, string>): Answer => refused(429, 'rate_limit_exceeded', { headers })

const server = await startOpenai()
const png = await madePng()
const image: Answer = { body: imageBody(png) }
afterAll(() => server.close())

const run = async (one: Omit<Case, 'name' | 'end' | 'calls' | 'waits'>, world: World) => {
  server.act(...one.acts)
  const session = await world.order()
  await world.ended()
  const facts = await world.facts(session)
  const last = facts.findLast(({ type }) => type === 'generation.completed' || type === 'generation.failed')
  const waits = facts.flatMap((fact) =>
    fact.type === 'generation.deferred' ? [Date.parse(fact.data.retryAt) - Date.parse(fact.at)] : [],
  )
  const end =
    last?.type === 'generation.failed' ? last.data.code : last?.type === 'generation.completed' ? 'completed' : null
  return { facts, seen: { end, calls: server.calls.length, waits, paid: server.paid, refunds: world.refunds(session) } }
}

const check = async ({ name: _, end, calls, waits, paid, ...one }: Case) => {
  const world = await openWorld({ server, ...one })
  const { facts, seen } = await run(one, world)
  await world.close()
  const refunds = end === 'completed' ? 0 : 1
  expect(seen).toEqual({ end, calls, waits, paid: paid ?? 1 - refunds, refunds })
  // What people read is ours, and nothing of what the provider said goes on.
  const failed = facts.find((fact) => fact.type === 'generation.failed')
  if (end !== 'completed') expect(failed?.data).toMatchObject({ message: failures[end].message })
  expect(JSON.stringify([facts, world.logged])).not.toMatch(
    /sk-|https?:\/\/(?!images\.example)|Something about|<html|secret/i,
  )
}

const cases: readonly Case[] = [
  // Success
  { name: 'an image', acts: [image], end: 'completed', calls: 1, waits: [] },
  {
    name: 'an image that is called something else than JSON',
    acts: [{ ...image, headers: { 'content-type': 'text/plain' } }],
    end: 'completed',
    calls: 1,
    waits: [],
  },
  {
    name: 'an image without usage',
    acts: [{ body: imageBody(png, { usage: undefined }) }],
    end: 'completed',
    calls: 1,
    waits: [],
  },
  {
    name: 'an image with usage of another shape',
    acts: [{ body: imageBody(png, { usage: { tokens: 'many' } }) }],
    end: 'completed',
    calls: 1,
    waits: [],
  },
  // Rate limits: once by default
  {
    name: '429 rate limit, then an image',
    acts: [refused(429, 'rate_limit_exceeded'), image],
    end: 'completed',
    calls: 2,
    waits: [TEN_S],
  },
  {
    name: '429 rate limit twice',
    acts: [refused(429, 'rate_limit_exceeded')],
    end: 'rate_limited',
    calls: 2,
    waits: [TEN_S],
  },
  { name: '429 slow_down', acts: [refused(429, 'slow_down'), image], end: 'completed', calls: 2, waits: [TEN_S] },
  { name: '429 without a body', acts: [{ status: 429 }, image], end: 'completed', calls: 2, waits: [TEN_S] },
  { name: '429 with HTML', acts: [html(429), image], end: 'completed', calls: 2, waits: [TEN_S] },
  {
    name: '429 with the body cut off',
    acts: [refused(429, 'rate_limit_exceeded', { how: 'cut' }), image],
    end: 'completed',
    calls: 2,
    waits: [TEN_S],
  },
  {
    name: '429 and Retry-After in seconds',
    acts: [after({ 'retry-after': '17' }), image],
    end: 'completed',
    calls: 2,
    waits: [17_000],
  },
  {
    name: '429 and Retry-After longer than the client would heed',
    acts: [after({ 'retry-after': '900' }), image],
    end: 'completed',
    calls: 2,
    waits: [900_000],
  },
  {
    name: '429 and Retry-After longer than a session lives',
    acts: [after({ 'retry-after': '86400' }), image],
    end: 'expired',
    calls: 1,
    waits: [3_600_000],
  },
  {
    name: '429 and Retry-After as a date',
    acts: [after({ date: 'Sat, 21 Nov 2026 10:00:00 GMT', 'retry-after': 'Sat, 21 Nov 2026 10:02:05 GMT' }), image],
    end: 'completed',
    calls: 2,
    waits: [125_000],
  },
  {
    name: '429 and Retry-After as a date that is over',
    acts: [after({ date: 'Sat, 21 Nov 2026 10:00:00 GMT', 'retry-after': 'Sat, 21 Nov 2026 09:00:00 GMT' }), image],
    end: 'completed',
    calls: 2,
    waits: [TEN_S],
  },
  {
    name: '429 and retry-after-ms',
    acts: [after({ 'retry-after-ms': '23500', 'retry-after': '1' }), image],
    end: 'completed',
    calls: 2,
    waits: [23_500],
  },
  {
    name: '429 and a Retry-After that cannot be read',
    acts: [after({ 'retry-after': 'soon' }), image],
    end: 'completed',
    calls: 2,
    waits: [TEN_S],
  },
  {
    name: '429 that asks the client to retry',
    acts: [after({ 'x-should-retry': 'true' })],
    end: 'rate_limited',
    calls: 2,
    waits: [TEN_S],
  },
  // The account
  {
    name: '429 insufficient_quota',
    acts: [refused(429, 'insufficient_quota', { type: 'insufficient_quota' }), image],
    end: 'quota_exhausted',
    calls: 1,
    waits: [],
  },
  {
    name: '429 insufficient_quota by its type alone',
    acts: [refused(429, null, { type: 'insufficient_quota' }), image],
    end: 'quota_exhausted',
    calls: 1,
    waits: [],
  },
  {
    name: '429 insufficient_quota with Retry-After',
    acts: [refused(429, 'insufficient_quota', { headers: { 'retry-after': '1' } }), image],
    end: 'quota_exhausted',
    calls: 1,
    waits: [],
  },
  {
    name: '429 credit_balance_exhausted',
    acts: [refused(429, 'credit_balance_exhausted'), image],
    end: 'quota_exhausted',
    calls: 1,
    waits: [],
  },
  {
    name: '400 billing_hard_limit_reached',
    acts: [refused(400, 'billing_hard_limit_reached'), image],
    end: 'quota_exhausted',
    calls: 1,
    waits: [],
  },
  { name: '402', acts: [{ status: 402 }, image], end: 'quota_exhausted', calls: 1, waits: [] },
  {
    name: '401 for a key that is not known',
    acts: [image],
    apiKey: 'wrong',
    end: 'provider_rejected',
    calls: 1,
    waits: [],
    paid: 0,
  },
  {
    name: '404 model_not_found',
    acts: [refused(404, 'model_not_found'), image],
    end: 'provider_rejected',
    calls: 1,
    waits: [],
  },
  // The session
  {
    name: '400 moderation_blocked',
    acts: [refused(400, 'moderation_blocked', { type: 'image_generation_user_error' }), image],
    end: 'moderation_blocked',
    calls: 1,
    waits: [],
  },
  {
    name: '400 content_policy_violation',
    acts: [refused(400, 'content_policy_violation'), image],
    end: 'moderation_blocked',
    calls: 1,
    waits: [],
  },
  {
    name: '403 moderation_blocked',
    acts: [refused(403, 'moderation_blocked'), image],
    end: 'moderation_blocked',
    calls: 1,
    waits: [],
  },
  {
    name: '400 invalid_image_file',
    acts: [refused(400, 'invalid_image_file'), image],
    end: 'input_rejected',
    calls: 1,
    waits: [],
  },
  {
    name: '400 for a parameter',
    acts: [refused(400, 'unknown_parameter'), image],
    end: 'provider_rejected',
    calls: 1,
    waits: [],
  },
  { name: '400 with HTML', acts: [html(400), image], end: 'provider_rejected', calls: 1, waits: [] },
  {
    name: '400 whose code is a key',
    acts: [refused(400, 'sk-proj-Secret0123456789'), image],
    end: 'provider_rejected',
    calls: 1,
    waits: [],
  },
  {
    name: '403',
    acts: [refused(403, 'unsupported_country_region_territory'), image],
    end: 'provider_rejected',
    calls: 1,
    waits: [],
  },
  { name: '413', acts: [html(413), image], end: 'provider_rejected', calls: 1, waits: [] },
  { name: '422', acts: [refused(422, null), image], end: 'provider_rejected', calls: 1, waits: [] },
  // The moment
  { name: '408, then an image', acts: [{ status: 408 }, image], end: 'completed', calls: 2, waits: once },
  { name: '409, then an image', acts: [refused(409, 'conflict'), image], end: 'completed', calls: 2, waits: once },
  { name: '500 for ever', acts: [refused(500, 'server_error')], end: 'provider_unavailable', calls: 4, waits: thrice },
  {
    name: '500 three times, then an image',
    acts: [html(500), html(502), html(504), image],
    end: 'completed',
    calls: 4,
    waits: thrice,
  },
  {
    name: '503 slow_down with Retry-After',
    acts: [refused(503, 'slow_down', { headers: { 'retry-after': '42' } }), image],
    end: 'completed',
    calls: 2,
    waits: [42_000],
  },
  {
    name: '500 with the body cut off',
    acts: [refused(500, null, { how: 'cut' }), image],
    end: 'completed',
    calls: 2,
    waits: once,
  },
  {
    name: '500 whose body drips for ever',
    acts: [refused(500, null, { how: 'drip' }), image],
    end: 'completed',
    calls: 2,
    waits: once,
  },
  { name: '529', acts: [{ status: 529 }, image], end: 'completed', calls: 2, waits: once },
  {
    name: '500, a rate limit, 500, then an image',
    acts: [html(500), after({}), html(500), image],
    end: 'completed',
    calls: 4,
    waits: [1_500, TEN_S, 3_000],
  },
  // No answer after it was sent: it may have been paid
  {
    name: 'reset after it was read, then an image',
    acts: ['reset', image],
    end: 'completed',
    calls: 2,
    waits: once,
    paid: 2,
  },
  { name: 'reset after it was read, twice', acts: ['reset'], end: 'outcome_unknown', calls: 2, waits: once, paid: 2 },
  {
    name: 'no answer within 180 s, then an image',
    acts: ['hang', image],
    end: 'completed',
    calls: 2,
    waits: once,
    paid: 2,
  },
  { name: 'no answer within 180 s, twice', acts: ['hang'], end: 'outcome_unknown', calls: 2, waits: once, paid: 2 },
  {
    name: 'an image that is cut off, twice',
    acts: [{ body: imageBody(png), how: 'cut' }],
    end: 'outcome_unknown',
    calls: 2,
    waits: once,
    paid: 2,
  },
  {
    name: 'an image that drips for ever, then another',
    acts: [{ body: imageBody(png), how: 'drip' }, image],
    end: 'completed',
    calls: 2,
    waits: once,
    paid: 2,
  },
  {
    name: 'reset, then 500, then reset',
    acts: ['reset', html(500), 'reset'],
    end: 'outcome_unknown',
    calls: 3,
    waits: [1_500, 1_500],
    paid: 2,
  },
  {
    name: 'reset, then moderation_blocked',
    acts: ['reset', refused(400, 'moderation_blocked')],
    end: 'moderation_blocked',
    calls: 2,
    waits: once,
    paid: 1,
  },
  // It was never sent
  {
    name: 'refused connections',
    acts: [image],
    baseUrl: 'http://127.0.0.1:1/v1',
    end: 'provider_unavailable',
    calls: 0,
    waits: thrice,
    paid: 0,
  },
  {
    name: 'a name that nobody knows',
    acts: [image],
    baseUrl: 'http://openai.invalid/v1',
    end: 'provider_unavailable',
    calls: 0,
    waits: thrice,
    paid: 0,
  },
  {
    name: 'a server that speaks no TLS',
    acts: [image],
    baseUrl: server.url.replace('http:', 'https:'),
    end: 'provider_unavailable',
    calls: 0,
    waits: thrice,
    paid: 0,
  },
  // Malformed: it was paid, and a second request would be paid again
  {
    name: 'JSON that ends too early',
    acts: [{ body: '{"data":[{"b64_json":"iVBO' }, image],
    end: 'provider_malformed',
    calls: 1,
    waits: [],
    paid: 1,
  },
  { name: 'HTML for an image', acts: [html(200), image], end: 'provider_malformed', calls: 1, waits: [], paid: 1 },
  { name: 'an empty body', acts: [{ body: '' }, image], end: 'provider_malformed', calls: 1, waits: [], paid: 1 },
  {
    name: 'no data',
    acts: [{ body: imageBody(png, { data: [] }) }, image],
    end: 'provider_malformed',
    calls: 1,
    waits: [],
    paid: 1,
  },
  {
    name: 'neither an image nor its address',
    acts: [{ body: imageBody(png, { data: [{}] }) }, image],
    end: 'provider_malformed',
    calls: 1,
    waits: [],
    paid: 1,
  },
  {
    name: 'base64 of what is no picture',
    acts: [{ body: imageBody(Buffer.from('<svg/>')) }, image],
    end: 'provider_malformed',
    calls: 1,
    waits: [],
    paid: 1,
  },
  {
    name: 'a picture that ends too early',
    acts: [{ body: imageBody(png.subarray(0, png.byteLength / 2)) }, image],
    end: 'provider_malformed',
    calls: 1,
    waits: [],
    paid: 1,
  },
  {
    name: 'an image at the address of somebody else',
    acts: [{ body: imageBody(png, { data: [{ url: 'http://169.254.169.254/latest' }] }) }, image],
    end: 'provider_malformed',
    calls: 1,
    waits: [],
    paid: 1,
  },
  { name: '204', acts: [{ status: 204 }, image], end: 'provider_malformed', calls: 1, waits: [] },
  {
    name: '307 to somewhere else',
    acts: [{ status: 307, headers: { location: 'http://127.0.0.1:1/v1/images/edits' } }, image],
    end: 'provider_malformed',
    calls: 1,
    waits: [],
  },
]

describe('what becomes of a session by what the provider answers', () => {
  test.each(cases)('$name: $end', check)
})
