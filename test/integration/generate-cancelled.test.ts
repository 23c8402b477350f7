import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { FactsAnswer, ReconciliationAnswer, SessionAnswer } from '../../src/cli/answers.ts'
import { eventually } from '../support/eventually.ts'
import { imageBody, madePng } from '../support/openai-answers.ts'
import { type ProviderApp, startWithProvider } from '../support/provider-app.ts'
import { publishDrawn, reaches } from '../support/rehearse.ts'

const late = randomUUID()
let app: ProviderApp
let openai: ProviderApp['openai']
let server: ProviderApp['server']
let client: ProviderApp['client']
let image: object

beforeAll(async () => {
  image = imageBody(await madePng())
  app = await startWithProvider({
    file: 'test/processes/leaky-server.ts',
    LATE: late,
    WORKER_CONCURRENCY: '1',
    PARTITIONS: '4',
  })
  ;({ openai, server, client } = app)
})
afterAll(() => app.close())

const cancel = (id: string) => client.delete(`/v1/generations/${id}`, z.object({ state: z.string() }))
const typesOf = async (id: string) =>
  (await client.get(`/v1/generations/${id}/facts`, FactsAnswer)).items.map(({ type }) => type)
const says = (line: string) => eventually(() => expect(server.stdout()).toContain(line))
const cancelled = ['generation.cancelled', 'refund.requested', 'refund.issued']

describe('a session that is cancelled', () => {
  it('while it waits for a slot is refunded, and nothing is asked of the provider', async () => {
    openai.act('hang')
    const [running, waiting] = [await publishDrawn(client), await publishDrawn(client)]
    await eventually(() => expect(openai.held).toBe(1))
    expect(await cancel(waiting)).toEqual({ state: 'queued' })
    expect(await reaches(client, waiting, 'refunded')).toMatchObject({ failure_code: 'cancelled', attempts: 0 })
    expect(await typesOf(waiting)).toEqual(['generation.requested', ...cancelled])
    expect(openai.begun).toBe(1)
    await cancel(running)
    await reaches(client, running, 'refunded')
  })

  it('while the provider works is refunded once, and its request is torn down', async () => {
    openai.act('hang')
    const id = await publishDrawn(client)
    await eventually(() => expect(openai.held).toBe(1))
    await reaches(client, id, 'processing')
    expect(await cancel(id)).toEqual({ state: 'processing' })
    await openai.calls[0]?.gone
    expect(await reaches(client, id, 'refunded')).toMatchObject({
      failure_code: 'cancelled',
      error_message: 'This try-on was cancelled. You will not be charged for it.',
    })
    expect(await typesOf(id)).toEqual(['generation.requested', 'generation.started', ...cancelled])
  })

  it('while its image is stored stays refunded, whatever comes of the upload', async () => {
    openai.act({ body: image })
    await publishDrawn(client, late)
    await says(`uploading ${late}`)
    await cancel(late)
    await reaches(client, late, 'refunded')
    await says(`uploaded ${late}`)
    // Whatever its outcome was is decided before the next session's.
    await reaches(client, await publishDrawn(client), 'completed')
    expect(await client.get(`/v1/generations/${late}`, SessionAnswer)).toMatchObject({
      state: 'refunded',
      image_url: null,
    })
    expect(await typesOf(late)).toEqual(['generation.requested', 'generation.started', ...cancelled])
  })

  it('cannot be cancelled once it has ended, however it ended', async () => {
    await expect(cancel(late)).rejects.toThrow(/session_ended/)
    const id = await publishDrawn(client)
    await reaches(client, id, 'completed')
    expect(await fetch(`${server.url}/v1/generations/${id}`, { method: 'DELETE' })).toMatchObject({ status: 409 })
    expect(await typesOf(id)).toEqual(['generation.requested', 'generation.started', 'generation.completed'])
  })

  it('leaves books that balance', () =>
    eventually(async () => {
      const books = await client.get('/v1/reconciliation', ReconciliationAnswer)
      expect(books).toMatchObject({ balanced: true, charged: 6, given_back: 4, kept: 2, owed: 0 })
    }))
})
