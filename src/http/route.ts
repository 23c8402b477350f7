import type { IncomingHttpHeaders } from 'node:http'
import { z } from 'zod'
import type { Access } from './access.ts'
import { readJson } from './body.ts'
import type { Caller } from './caller.ts'
import type { EventStream } from './event-stream.ts'
import { bodyFaults, Problem, parameterFaults } from './problem.ts'

export type Method = 'get' | 'post' | 'delete'

/** What a route answers: a JSON object, text or bytes; text as it comes; or an event stream that `stream` feeds until it settles. */
export interface Answer {
  readonly status: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: object | string | Uint8Array
  /** Sent as they come; `Content-Type` is among the headers. */
  readonly chunks?: AsyncIterable<string>
  readonly stream?: (stream: EventStream) => Promise<void>
}

/** A request as it came, before the route's own schemas read it. */
export interface RawCall {
  readonly requestId: string
  readonly caller: Caller
  readonly params: unknown
  readonly query: unknown
  readonly headers: IncomingHttpHeaders
  /** The body's bytes; empty for routes without one. */
  readonly body: Uint8Array
}

export interface Call<Params, Query, Json = undefined> extends Omit<RawCall, 'params' | 'query'> {
  readonly params: Params
  readonly query: Query
  /** The body as the route's schema reads it. */
  readonly json: Json
}

/** What a route takes as its body. `picture`: the bytes of one. */
export type BodyKind = 'json' | 'picture'

/** What is asked of the service, for the audit. */
export interface Asked {
  readonly action: string
  readonly target: string | null
  readonly detail: Readonly<Record<string, unknown>>
}

/** Notes what is asked, does it, and notes how it ended. */
export type Noted = (asked: Asked, work: () => Promise<Answer>) => Promise<Answer>

/** The schemas of a route: what `/openapi.json` says of it. */
export interface RouteSchemas {
  readonly params: z.ZodType | null
  readonly query: z.ZodType | null
  readonly json: z.ZodType | null
  /** The body of a good answer, where it is JSON. */
  readonly answer: z.ZodType | null
}

/** One row of the API: method and path template, who may call it, what it takes, what it does. */
export interface Route {
  readonly method: Method
  /** As Express matches it: `/v1/generations/:id`. Also the label in metrics and logs. */
  readonly path: string
  /** What it is for, in one line of the documentation. */
  readonly title: string
  readonly access: Access
  readonly schemas: RouteSchemas
  readonly body: BodyKind | null
  /** Ms until a caller is told to try again. Streams live as long as they like. */
  readonly timeoutMs: number | null
  /** Under which name the audit has it; null for what changes nothing, or is a fact by itself. */
  readonly action: string | null
  readonly answer: (call: RawCall, noted: Noted) => Promise<Answer>
}

const nothing = z.strictObject({})

/** A route whose parameters and body are read by schemas; unknown query parameters are refused. */
export const route = <Params = Record<string, never>, Query = Record<string, never>, Json = undefined>(spec: {
  method: Method
  path: string
  title: string
  access: Access
  params?: z.ZodType<Params>
  query?: z.ZodType<Query>
  /** Reads a JSON body, before anything else is done. */
  json?: z.ZodType<Json>
  /** Instead of `json`, for a route that reads the bytes itself. */
  body?: BodyKind
  answer?: z.ZodType
  timeoutMs?: number
  action?: string
  handle: (call: Call<Params, Query, Json>) => Promise<Answer> | Answer
}): Route => ({
  method: spec.method,
  path: spec.path,
  title: spec.title,
  access: spec.access,
  schemas: {
    params: spec.params ?? null,
    query: spec.query ?? null,
    json: spec.json ?? null,
    answer: spec.answer ?? null,
  },
  body: spec.json === undefined ? (spec.body ?? null) : 'json',
  timeoutMs: spec.timeoutMs ?? null,
  action: spec.action ?? null,
  answer: async (raw, noted) => {
    const call = {
      ...raw,
      params: parameters(spec.params ?? (nothing as unknown as z.ZodType<Params>), raw.params),
      query: parameters(spec.query ?? (nothing as unknown as z.ZodType<Query>), raw.query),
      json: spec.json === undefined ? (undefined as Json) : readBody(spec.json, raw.body),
    }
    const work = async () => spec.handle(call)
    return spec.action === undefined ? work() : noted(askedOf(spec.action, call), work)
  },
})

/** What it is done to is the path's one parameter. */
const askedOf = (action: string, { params, json }: { params: unknown; json: unknown }): Asked => {
  const [target = null] = Object.values(z.record(z.string(), z.coerce.string()).parse(params))
  return {
    action,
    target,
    detail: z.record(z.string(), z.unknown()).catch({}).parse(json),
  }
}

/** Reads parameters. @throws Problem `invalid_request` with one fault each. */
export const parameters = <Value>(schema: z.ZodType<Value>, given: unknown): Value => {
  const read = schema.safeParse(given)
  if (!read.success) throw new Problem('invalid_request', { faults: parameterFaults(read.error) })
  return read.data
}

/** Reads a body. @throws Problem with one entry for each fault. */
const readBody = <Value>(schema: z.ZodType<Value>, body: Uint8Array): Value => {
  const found = schema.safeParse(readJson(body))
  if (!found.success) throw new Problem('invalid_request', { faults: bodyFaults(found.error) })
  return found.data
}
