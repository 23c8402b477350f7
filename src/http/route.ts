import type { IncomingHttpHeaders } from 'node:http'
import { z } from 'zod'
import type { EventStream } from './event-stream.ts'
import { Problem, parameterFaults } from './problem.ts'

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
  readonly params: unknown
  readonly query: unknown
  readonly headers: IncomingHttpHeaders
  /** The body's bytes; empty for routes without one. */
  readonly body: Uint8Array
}

export interface Call<Params, Query> extends Omit<RawCall, 'params' | 'query'> {
  readonly params: Params
  readonly query: Query
}

/** What a route takes as its body. `picture`: the bytes of one. */
export type BodyKind = 'json' | 'picture'

/** One row of the API: method and path template, what it takes, what it does. Docs and authorisation can read it. */
export interface Route {
  readonly method: Method
  /** As Express matches it: `/v1/generations/:id`. Also the label in metrics and logs. */
  readonly path: string
  readonly body: BodyKind | null
  /** Ms until a caller is told to try again. Streams live as long as they like. */
  readonly timeoutMs: number | null
  readonly answer: (call: RawCall) => Promise<Answer>
}

const nothing = z.strictObject({})

/** A route whose path and query parameters are read by schemas; unknown query parameters are refused. */
export const route = <Params = Record<string, never>, Query = Record<string, never>>(spec: {
  method: Method
  path: string
  params?: z.ZodType<Params>
  query?: z.ZodType<Query>
  body?: BodyKind
  timeoutMs?: number
  handle: (call: Call<Params, Query>) => Promise<Answer> | Answer
}): Route => ({
  method: spec.method,
  path: spec.path,
  body: spec.body ?? null,
  timeoutMs: spec.timeoutMs ?? null,
  answer: async (call) =>
    spec.handle({
      ...call,
      params: parameters(spec.params ?? (nothing as unknown as z.ZodType<Params>), call.params),
      query: parameters(spec.query ?? (nothing as unknown as z.ZodType<Query>), call.query),
    }),
})

/** Reads parameters. @throws Problem `invalid_request` with one fault each. */
export const parameters = <Value>(schema: z.ZodType<Value>, given: unknown): Value => {
  const read = schema.safeParse(given)
  if (!read.success) throw new Problem('invalid_request', { faults: parameterFaults(read.error) })
  return read.data
}
