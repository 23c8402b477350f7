import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { FactsAnswer, SessionAnswer } from '../../src/cli/answers.ts'
import { failures } from '../../src/events/codes.ts'
import type { Fact } from '../../src/events/fact.ts'
import { eventually } from '../support/eventually.ts'
import { errorBody, imageBody, madePng, PRIVATE } from '../support/openai-answers.ts'
import { type ProviderApp, startWithProvider } from '../support/provider-app.ts'
import { publishDrawn, publishPictures } from '../support/rehearse.ts'
import { end } from '../support/server-process.ts'

/** Addresses of pictures with what must not be told: a password, a signature, and where it lies. */
const ADDRESSES = [
  'https://lea:Secret0123456789@pictures-private.invalid/x.jpg',
  'http://127.0.0.1:1/pictures-private.jpg?token=Secret0123456789',
]
const secrets = ['Secret0123456789', 'openai.example', 'org-private', 'pictures-private']

const leaks = ['LEAK_LOOK', 'LEAK_PUT', 'LEAK_GENERATE', 'LEAK_REFUND'] as const
const victims = Object.fromEntries(leaks.map((leak) => [leak, randomUUID()])) as Record<(typeof leaks)[number], string>
let app: ProviderApp
let openai: ProviderApp['openai']
let server: ProviderApp['server']
let client: ProviderApp['client']
let image: object

beforeAll(async () => {
  image = imageBody(await madePng())
  app = await startWithProvider({
    file: 'test/processes/leaky-server.ts',
    LOG_LEVEL: 'debug',
    OPENAI_MAX_RETRIES: '0',
    PARTITIONS: '4',
    ...victims,
  })
  ;({ openai, server, client } = app)
})
afterAll(() => app.close())

const factsOf = async (id: string) => (await client.get(`/v1/generations/${id}/facts`, FactsAnswer)).items

/** The first fact that says what went wrong. */
const troubleOf = (id: string): Promise<Fact> =>
  eventually(async () => {
    const found = (await factsOf(id)).find(({ type }) => /deferred|generation.failed|retrying/.test(type))
    if (found === undefined) throw new Error('nothing went wrong yet')
    return found
  })

const seen: string[] = []

describe('an error full of secrets', () => {
  const cases: readonly { part: string; ask: () => Promise<string>; trouble: object }[] = [
    {
      part: 'the provider that refuses',
      ask: () => (openai.act({ status: 400, body: errorBody(PRIVATE, PRIVATE) }), publishDrawn(client)),
      trouble: { code: 'provider_rejected' },
    },
    {
      part: 'the provider that is down',
      ask: () => (
        openai.act({ status: 503, body: PRIVATE, headers: { 'x-request-id': PRIVATE } }), publishDrawn(client)
      ),
      trouble: { code: 'provider_unavailable' },
    },
    ...ADDRESSES.map((address, index) => ({
      part: `a picture’s address (${index + 1})`,
      ask: () => publishPictures(client, [address]),
      trouble: { code: 'input_rejected' },
    })),
    {
      part: 'the platform’s row',
      ask: () => publishDrawn(client, victims.LEAK_LOOK),
      trouble: { code: 'platform_unavailable', detail: 'the row failed: Error' },
    },
    {
      part: 'storage',
      ask: () => (openai.act({ body: image }), publishDrawn(client, victims.LEAK_PUT)),
      trouble: { code: 'storage_failed', detail: 'the upload failed: Error' },
    },
    {
      part: 'something that nobody foresaw',
      ask: () => publishDrawn(client, victims.LEAK_GENERATE),
      trouble: { code: 'internal', detail: 'Error' },
    },
    {
      part: 'the ledger',
      ask: async () => {
        openai.act('hang')
        const id = await publishDrawn(client, victims.LEAK_REFUND)
        await client.delete(`/v1/generations/${id}`, z.unknown())
        return id
      },
      trouble: { error: 'Error' },
    },
  ]

  it.each(cases)('of $part is told by its code alone', async ({ ask, trouble }) => {
    const id = await ask()
    seen.push(id)
    expect((await troubleOf(id)).data).toMatchObject(trouble)
    const { failure_code: code, error_message: told } = await client.get(`/v1/generations/${id}`, SessionAnswer)
    expect(told).toBe(code === null ? null : failures[code as keyof typeof failures].message)
    // The task's own addresses stand where the producer put them, and nowhere else.
    const others = (await factsOf(id)).filter(({ type }) => type !== 'generation.requested')
    for (const secret of secrets) expect(JSON.stringify(others)).not.toContain(secret)
  })

  it('stands in no answer, no metric and no line of the log', async () => {
    expect(seen).toHaveLength(cases.length)
    const paths = [
      '/v1/generations',
      '/v1/refunds',
      '/v1/reconciliation/exceptions',
      '/v1/dead-letters',
      '/health',
      '/metrics',
    ]
    const answers = await Promise.all(paths.map(async (path) => (await fetch(server.url + path)).text()))
    const { stdout, stderr } = await end(server)
    expect(stdout).toContain('an operator must see')
    for (const text of [...answers, stdout, stderr]) for (const secret of secrets) expect(text).not.toContain(secret)
  })
})
