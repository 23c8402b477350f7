import { createHash } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, describe, expect, test } from 'vitest'
import { openaiGenerator } from '../../src/adapters/openai/generator.ts'
import { SessionId } from '../../src/events/ids.ts'
import type { MadeImage, NoImage } from '../../src/machines/ports/generator.ts'
import { drawGarment, drawPerson } from '../../src/pictures/draw.ts'
import { sniff } from '../../src/pictures/sniff.ts'
import { generatorContract } from '../contracts/generator.ts'
import { realClock } from '../support/clock.ts'
import { quietEnvironment } from '../support/environment.ts'
import { eventually } from '../support/eventually.ts'
import { COST_USD, imageBody, madePng, USAGE } from '../support/openai-answers.ts'
import { startOpenai } from '../support/openai-server.ts'
import { CONTRACT_IMAGE, CONTRACT_PRICES } from '../support/openai-world.ts'

const server = await startOpenai()
const png = await madePng()
const pictures = await Promise.all([drawPerson(1), drawGarment(2), drawGarment(3)])
afterAll(() => server.close())

const open = (options: { baseUrl?: string; timeoutMs?: number } = {}) =>
  openaiGenerator({
    apiKey: server.apiKey,
    baseUrl: server.url,
    image: CONTRACT_IMAGE,
    prices: CONTRACT_PRICES,
    requestsPerMinute: 300,
    env: quietEnvironment(realClock),
    ...options,
  })
const sessionId = SessionId.parse('11111111-1111-4111-8111-111111111111')
const make = (prompt: string, signal = new AbortController().signal, generator = open()) =>
  generator.generate({ sessionId, pictures, prompt }, signal)
const image = (made: MadeImage | NoImage): MadeImage => {
  if ('code' in made) throw new Error(`${made.code}: ${made.detail}`)
  return made
}
const sha256 = (data: string | Uint8Array) => createHash('sha256').update(data).digest('hex')

generatorContract('openai, before a double', async () => {
  server.act({ body: imageBody(png) })
  return { generator: open(), pictures }
})

describe('a request', () => {
  test('is the form of the contract, byte for byte', async () => {
    server.act({ body: imageBody(png) })
    image(await make('wear it'))
    const [call] = server.calls
    const fields = call?.parts
      .filter(({ filename }) => filename === null)
      .map(({ name, bytes }) => [name, bytes.toString()])
    expect(Object.fromEntries(fields ?? [])).toEqual({
      model: 'gpt-image-1.5',
      prompt: 'wear it',
      size: '1024x1536',
      quality: 'medium',
      n: '1',
    })
    const files = call?.parts.filter(({ name }) => name === 'image[]')
    expect(files?.map(({ filename, type }) => [filename, type])).toEqual([
      ['model.jpg', 'image/jpeg'],
      ['image_1.jpg', 'image/jpeg'],
      ['image_2.jpg', 'image/jpeg'],
    ])
    expect(files?.map(({ bytes }) => sha256(bytes))).toEqual(pictures.map(sha256))
    expect(call?.headers).toMatchObject({ authorization: `Bearer ${server.apiKey}`, connection: 'close' })
    expect(call?.headers['content-length']).toMatch(/^\d+$/)
  })

  test('carries our own words where the task has none', async () => {
    server.act({ body: imageBody(png) })
    const { provenance } = image(await make('  '))
    const sent = server.calls[0]?.parts.find(({ name }) => name === 'prompt')?.bytes.toString() ?? ''
    expect(sent).toMatch(/^Create one photorealistic photo/)
    expect(provenance).toMatchObject({ defaultPrompt: sent, promptSha256: sha256(sent) })
  })

  test('carries words of any script as they are', async () => {
    server.act({ body: imageBody(png) })
    const words = 'Größer, 長い袖 👗 "quoted"\r\nand a second line; name="x"'
    image(await make(words))
    expect(server.calls[0]?.parts.find(({ name }) => name === 'prompt')?.bytes.toString()).toBe(words)
  })

  test('is torn down when nobody wants its answer any more', async () => {
    server.act('hang')
    const reason = new Error('the partition is lost')
    const abort = new AbortController()
    const made = make('', abort.signal)
    await eventually(() => expect(server.held).toBe(1))
    abort.abort(reason)
    await expect(made).rejects.toBe(reason)
    await server.calls[0]?.gone
    await eventually(() => expect(server.held).toBe(0))
  })

  test('is torn down at its time limit, and what it cost is unknown', async () => {
    server.act('hang')
    expect(await make('', undefined, open({ timeoutMs: 300 }))).toEqual({
      code: 'outcome_unknown',
      detail: 'no_answer: timeout',
    })
    await server.calls[0]?.gone
  })

  test('that was reset before it was read in full may have arrived all the same', async () => {
    server.act('unread')
    expect(await make('')).toMatchObject({ code: 'outcome_unknown' })
    expect([server.begun, server.calls.length]).toEqual([1, 0])
  })

  test('to a server that does not take connections never left', async () => {
    const { port } = await closedPort()
    expect(await make('', undefined, open({ baseUrl: `http://127.0.0.1:${port}/v1` }))).toEqual({
      code: 'provider_unavailable',
      detail: 'not_sent: ECONNREFUSED',
    })
  })
})

describe('an answer', () => {
  test('becomes a JPEG, with what it cost and what made it', async () => {
    server.act({ body: imageBody(png) })
    const { bytes, usage, provenance } = image(await make('wear it'))
    expect(sniff(bytes)).toBe('jpeg')
    expect(usage).toEqual({
      inputTokens: USAGE.input_tokens,
      outputTokens: USAGE.output_tokens,
      costUsd: COST_USD,
      byKind: { textIn: 100, imageIn: 900, textOut: 16, imageOut: 1_584 },
    })
    expect(provenance).toEqual({
      generator: 'openai',
      model: 'gpt-image-1.5',
      parameters: { size: '1024x1536', quality: 'medium', n: 1 },
      providerRequestId: `req_${'1'.padStart(32, '0')}`,
      inputs: pictures.map(sha256),
      promptSha256: sha256('wear it'),
      defaultPrompt: null,
    })
  })

  test('that names an image at the provider’s own host is followed there, without the key', async () => {
    const headers: unknown[] = []
    const host = createServer((request, response) => {
      headers.push(request.headers.authorization)
      response.writeHead(200, { 'content-type': 'image/png' }).end(png)
    })
    await new Promise<void>((resolve) => {
      host.listen(0, '127.0.0.1', resolve)
    })
    const elsewhere = `http://127.0.0.1:${(host.address() as AddressInfo).port}/made.png`
    server.act({ body: imageBody(png, { data: [{ url: elsewhere }] }) })
    expect(await make('')).toMatchObject({ code: 'provider_malformed' })
    expect(headers).toEqual([])
    const withOwnHost = openaiGenerator({
      apiKey: server.apiKey,
      baseUrl: server.url,
      resultHosts: [new URL(elsewhere).host],
      image: CONTRACT_IMAGE,
      prices: CONTRACT_PRICES,
      requestsPerMinute: 300,
      env: quietEnvironment(realClock),
    })
    expect(sniff(image(await make('', undefined, withOwnHost)).bytes)).toBe('jpeg')
    expect(headers).toEqual([undefined])
    host.close()
  })

  test('with a request id that is none does not pass it on', async () => {
    for (const id of ['sk-proj-0123456789', 'a b', 'https://x.example', 'x'.repeat(101)]) {
      server.act({ status: 400, headers: { 'x-request-id': id } })
      expect(await make('')).toEqual({ code: 'provider_rejected', detail: 'status 400' })
    }
  })

  test('that is refused is told by codes alone', async () => {
    server.act({
      status: 400,
      body: { error: { message: 'no', code: 'moderation_blocked', type: 'image_generation_user_error' } },
    })
    expect(await make('')).toEqual({
      code: 'moderation_blocked',
      detail: `status 400, code moderation_blocked, type image_generation_user_error, request req_${'1'.padStart(32, '0')}`,
    })
  })
})

const closedPort = async (): Promise<AddressInfo> => {
  const listener = createServer()
  await new Promise<void>((resolve) => {
    listener.listen(0, '127.0.0.1', resolve)
  })
  const address = listener.address() as AddressInfo
  await new Promise((resolve) => {
    listener.close(resolve)
  })
  return address
}
