import sharp from 'sharp'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { errorBody, imageBody, madePng, PRIVATE } from '../support/openai-answers.ts'
import { type ProviderApp, startWithProvider } from '../support/provider-app.ts'
import { publishDrawn, reaches } from '../support/rehearse.ts'

let app: ProviderApp
let openai: ProviderApp['openai']
let server: ProviderApp['server']
let client: ProviderApp['client']

beforeAll(async () => {
  app = await startWithProvider({ PARTITIONS: '8' })
  ;({ openai, server, client } = app)
})
afterAll(() => app.close())

it('makes images with the provider once its key is set, from pictures that were made ready', async () => {
  openai.act({ body: imageBody(await madePng()) })
  const { image_url: url } = await reaches(client, await publishDrawn(client), 'completed')
  expect((await sharp(await (await fetch(url ?? '')).bytes()).metadata()).format).toBe('jpeg')
  const sent = openai.calls.flatMap(({ parts }) => parts.filter(({ name }) => name === 'image[]'))
  expect(openai.calls).toHaveLength(1)
  const pictures = await Promise.all(sent.map(({ bytes }) => sharp(bytes).metadata()))
  expect(pictures.map(({ format, width, height }) => [format, width, height])).toEqual([
    ['jpeg', 683, 1024],
    ['jpeg', 800, 800],
  ])
  expect(await (await fetch(`${server.url}/metrics`)).text()).toContain('wearon_provider_calls_total{code="image"} 1')
})

it('gives the credit back for what moderation refuses, and repeats nothing that the provider said', async () => {
  openai.act({ status: 400, body: errorBody('moderation_blocked', 'image_generation_user_error') })
  const id = await publishDrawn(client)
  const session = await reaches(client, id, 'refunded')
  expect(session).toMatchObject({ failure_code: 'moderation_blocked' })
  const facts = await (await fetch(`${server.url}/v1/generations/${id}/facts`)).text()
  expect(facts).toContain('code moderation_blocked')
  for (const said of [facts, server.stdout(), JSON.stringify(session)]) {
    for (const secret of [openai.apiKey, ...PRIVATE.split(' ')]) expect(said).not.toContain(secret)
  }
  expect(openai.calls).toHaveLength(1)
})
