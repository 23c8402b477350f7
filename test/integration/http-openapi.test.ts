import { afterAll, beforeAll, expect, test } from 'vitest'
import { z } from 'zod'
import { routesOf } from '../../src/http/app.ts'
import { Gate } from '../../src/http/gate.ts'
import type { Route } from '../../src/http/route.ts'
import { json, openWorld, type World } from './http-world.ts'

const Operation = z.object({
  operationId: z.string(),
  summary: z.string().min(10),
  security: z.array(z.unknown()).optional(),
  'x-scope': z.string().optional(),
  parameters: z.array(
    z.object({ name: z.string(), in: z.enum(['path', 'query']), required: z.boolean(), schema: z.object({}) }),
  ),
  requestBody: z
    .object({ content: z.record(z.string(), z.object({ schema: z.looseObject({}).optional() })) })
    .optional(),
  responses: z.object({ '2XX': z.looseObject({ description: z.string() }), default: z.object({ $ref: z.string() }) }),
})
const Document = z.object({ openapi: z.literal('3.1.0'), paths: z.record(z.string(), z.record(z.string(), Operation)) })

let world: World
let routes: Route[]
let document: z.infer<typeof Document>
beforeAll(async () => {
  const order = async () => 'ordered' as const
  const upload = async () => null
  world = await openWorld({ rehearsal: { order, upload }, objects: { open: async () => 'gone' } })
  routes = routesOf(world.parts, new Gate(world.parts))
  document = Document.parse(await json(await world.get('/openapi.json')))
})
afterAll(() => world.close(0))

test('describes every route of the app, and nothing else', () => {
  const described = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `${method} ${path}`),
  )
  const served = routes.map(
    ({ method, path }) => `${method} ${path.replace('*path', '{path}').replaceAll(/:(\w+)/g, '{$1}')}`,
  )
  expect(described.toSorted()).toEqual(served.toSorted())
  const ids = Object.values(document.paths).flatMap((methods) =>
    Object.values(methods).map(({ operationId }) => operationId),
  )
  expect(new Set(ids).size).toBe(ids.length)
})

test('names every parameter of a path, the scope of every guarded route, and what it takes', () => {
  for (const route of routes) {
    const path = route.path.replace('*path', '{path}').replaceAll(/:(\w+)/g, '{$1}')
    const operation = document.paths[path]?.[route.method]
    const named = operation?.parameters.filter((one) => one.in === 'path').map(({ name }) => `{${name}}`)
    expect([path, named]).toEqual([path, path.match(/\{\w+\}/g) ?? []])
    const { access } = route
    const asksFor =
      'scope' in access ? [undefined, access.scope] : [access.kind === 'known' ? undefined : [], undefined]
    expect([path, operation?.security, operation?.['x-scope']]).toEqual([path, ...asksFor])
    expect([path, operation?.requestBody === undefined]).toEqual([path, route.body === null])
  }
})

test('says of a task what the platform sends, and does not ask for what may be left out', () => {
  const schema = document.paths['/v1/generations']?.['post']?.requestBody?.content['application/json']?.schema
  expect(schema?.['required']).toEqual(['task_id', 'channel', 'session_id', 'image_urls', 'request_id'])
})

test('every answer in JSON that is no probe has a schema', () => {
  const without = routes.filter(({ schemas, access }) => schemas.answer === null && access.kind !== 'open')
  expect(without.map(({ method, path }) => `${method} ${path}`)).toEqual([
    // Event streams.
    'get /v1/generations/:id/events',
    'get /v1/events',
    'get /v1/census/events',
    // Files, and nothing.
    'get /console',
    'get /console/files/*path',
    'get /console/*path',
    'delete /v1/console/session',
    // Rehearsals.
    'post /v1/rehearsal/orders',
    'post /v1/rehearsal/pictures',
  ])
})

test('GET /docs is one page with every route and every problem, and needs nothing from elsewhere', async () => {
  const response = await world.get('/docs')
  const page = await response.text()
  expect(response.headers.get('content-type')).toBe('text/html; charset=utf-8')
  expect(response.headers.get('content-security-policy')).toMatch(/^default-src 'none'; style-src 'sha256-[\w+/=]+';/)
  for (const { title } of routes) expect(page).toContain(title.replaceAll("'", '&#39;'))
  for (const text of ['session_unknown', '{id}', '/openapi.json']) expect(page).toContain(text)
  expect(page).not.toMatch(/<script|<link|<img|https?:\/\//)
  expect(Buffer.byteLength(page)).toBeLessThan(300_000)
})
