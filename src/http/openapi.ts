import { z } from 'zod'
import { ProblemAnswer } from './answer-schemas.ts'
import type { Route } from './route.ts'

type Json = Record<string, unknown>

/** The API as OpenAPI 3.1 describes it, made of the routes themselves. */
export const openapiOf = (routes: readonly Route[]): Json => ({
  openapi: '3.1.0',
  info: {
    title: 'WearOn worker',
    version: '1',
    description:
      'Sessions of a virtual try-on: publishing and following them, their refunds and books, and what operators do. Times ' +
      'are ISO 8601 in UTC, errors are problems (RFC 9457), X-Request-Id names a request in logs and audit.',
  },
  security: [{ key: [] }],
  components: {
    securitySchemes: {
      key: {
        type: 'http',
        scheme: 'bearer',
        description: 'An API key: wk_<id>_<secret>. x-scope names what it must be for.',
      },
    },
    schemas: { Problem: schemaOf(ProblemAnswer, 'output') },
    responses: {
      Problem: {
        description: 'What went wrong. 429 and 503 say in Retry-After when a repeat may help.',
        content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
      },
    },
  },
  paths: Object.fromEntries(
    [...Map.groupBy(routes, ({ path }) => templateOf(path))].map(([path, ofPath]) => [
      path,
      Object.fromEntries(ofPath.map((route) => [route.method, operationOf(route)])),
    ]),
  ),
})

/** `/v1/keys/:id` as OpenAPI writes it: `/v1/keys/{id}`. */
export const templateOf = (path: string): string => path.replaceAll(/[:*](\w+)/g, '{$1}')

const operationOf = (route: Route): Json => ({
  operationId: `${route.method}${templateOf(route.path).replaceAll(/\W+/g, '_')}`.replace(/_$/, ''),
  summary: route.title,
  tags: [route.path.split('/').find((part) => part !== '' && part !== 'v1') ?? 'service'],
  ...accessOf(route),
  parameters: [...parametersOf(route.schemas.params, 'path'), ...parametersOf(route.schemas.query, 'query')],
  ...bodyOf(route),
  responses: { '2XX': goodAnswerOf(route), default: { $ref: '#/components/responses/Problem' } },
})

/** A key of one store or user is refused where the whole service is meant. */
const accessOf = ({ access }: Route): Json => {
  if (access.kind === 'known') return {}
  if (access.kind === 'open' || access.kind === 'console') return { security: [] }
  return { 'x-scope': access.scope, 'x-about': access.kind }
}

const parametersOf = (schema: z.ZodType | null, place: 'path' | 'query'): Json[] => {
  if (schema === null) return []
  const { properties = {}, required = [] } = schemaOf(schema, 'input') as { properties?: Json; required?: string[] }
  return Object.entries(properties).map(([name, of]) => ({
    name,
    in: place,
    required: place === 'path' || required.includes(name),
    schema: place === 'path' ? { type: 'string' } : of,
  }))
}

const bodyOf = ({ body, schemas }: Route): Json => {
  if (body === null) return {}
  const content =
    body === 'picture'
      ? { 'image/*': {}, 'application/octet-stream': {} }
      : { 'application/json': { schema: schemas.json === null ? {} : schemaOf(schemas.json, 'input') } }
  return { requestBody: { required: true, content } }
}

const goodAnswerOf = ({ schemas }: Route): Json => ({
  description: 'What was asked for.',
  ...(schemas.answer && { content: { 'application/json': { schema: schemaOf(schemas.answer, 'output') } } }),
})

/** What comes in (`input`) or goes out (`output`) where a schema also changes what it reads. */
const schemaOf = (schema: z.ZodType, io: 'input' | 'output'): Json => {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io, unrepresentable: 'any', override: plain }) as Json
  return rest
}

/** What a schema fills in itself need not be sent; and patterns that only repeat a format help nobody. */
const plain = ({
  zodSchema,
  jsonSchema,
}: {
  zodSchema: z.core.$ZodTypes
  jsonSchema: z.core.JSONSchema.BaseSchema
}) => {
  if (jsonSchema.format !== undefined) delete jsonSchema.pattern
  if (!(zodSchema instanceof z.ZodObject) || jsonSchema.required === undefined) return
  const shape = zodSchema.shape as Readonly<Record<string, z.ZodType>>
  jsonSchema.required = jsonSchema.required.filter((name) => shape[name]?.safeParse(undefined).success !== true)
}
