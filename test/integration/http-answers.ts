import type { RequestListener, ServerResponse } from 'node:http'
import type { Response } from 'express'
import { z } from 'zod'
import { ProblemAnswer } from '../../src/http/answer-schemas.ts'
import { exchangeOf } from '../../src/http/exchange.ts'
import type { Route } from '../../src/http/route.ts'

/** Holds every JSON answer against the schema that its route shows in `/openapi.json`; what does not fit goes to `faults`. */
export const heldAgainstSchemas =
  (handler: RequestListener, routes: readonly Route[], faults: string[]): RequestListener =>
  (request, response) => {
    const end = response.end.bind(response) as (...args: unknown[]) => ServerResponse
    // Node's `end` has overloads that no arrow function can repeat.
    response.end = ((...args: unknown[]) => {
      const [body] = args
      const method = request.method?.toLowerCase()
      if (body instanceof Uint8Array) faults.push(...faultsOf(response, method, body, routes))
      return end(...args)
    }) as typeof response.end
    handler(request, response)
  }

const faultsOf = (
  response: ServerResponse,
  method: string | undefined,
  body: Uint8Array,
  routes: readonly Route[],
): string[] => {
  const { route: path } = exchangeOf(response as Response)
  const type = String(response.getHeader('content-type'))
  if (!type.includes('json')) return []
  const answer = type.startsWith('application/problem+json')
    ? ProblemAnswer
    : routes.find((one) => one.path === path && one.method === method)?.schemas.answer
  const read = answer?.safeParse(JSON.parse(Buffer.from(body).toString()))
  return read?.success === false ? [`${method} ${path} ${response.statusCode}: ${z.prettifyError(read.error)}`] : []
}
