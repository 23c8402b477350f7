import type { RequestListener } from 'node:http'
import express, { type Express, type RequestHandler } from 'express'
import { answerProblem, send } from './answer.ts'
import { deadLetterRoutes } from './dead-letters.ts'
import { erasureRoutes } from './erasures.ts'
import { OpenStreams } from './event-stream.ts'
import { beginExchange, exchangeOf } from './exchange.ts'
import { healthRoutes } from './health.ts'
import { historyRoutes } from './history.ts'
import { journalReaderRoutes } from './journal-readers.ts'
import { objectRoutes } from './objects.ts'
import { operateRoutes } from './operate.ts'
import { orphanRoutes } from './orphans.ts'
import type { HttpLimits, HttpParts } from './parts.ts'
import { Problem } from './problem.ts'
import { publishRoutes } from './publish.ts'
import { reconciliationRoutes } from './reconciliation.ts'
import { refundRoutes } from './refunds.ts'
import { rehearsalRoutes } from './rehearsal.ts'
import type { Answer, BodyKind, RawCall, Route } from './route.ts'
import { sessionRoutes } from './sessions.ts'
import { streamRoutes } from './streams.ts'

/** The HTTP side, ready to be served by `listen`. */
export interface Http {
  readonly handler: RequestListener
  /** Ends every event stream in order; their clients come back by themselves. */
  endStreams(): void
}

/**
 * Puts all routes behind one door: ids, limits, logs, metrics and problems are the same for each of them. `probesOnly`: for a
 * process that serves no API, but is watched like any other.
 */
export const createHttp = (parts: HttpParts, { probesOnly = false } = {}): Http => {
  const streams = new OpenStreams(parts.limits.streamsMax)
  const app = express()
  app.disable('x-powered-by').disable('etag').enable('case sensitive routing').set('query parser', 'simple')
  app.use(beginExchange(parts))
  const served = probesOnly ? healthRoutes(parts) : routesOf(parts)
  for (const [path, routes] of Map.groupBy(served, ({ path: template }) => template)) {
    mount(app, path, routes, parts, streams)
  }
  app.use(() => {
    throw new Problem('route_unknown')
  })
  app.use(answerProblem(parts.env.logger))
  return { handler: app as RequestListener, endStreams: () => streams.endAll() }
}

/** Every route of the API, in the order in which they are matched. */
const routesOf = (parts: HttpParts): Route[] => [
  ...publishRoutes(parts),
  ...streamRoutes(parts),
  ...sessionRoutes(parts),
  ...operateRoutes(parts),
  ...refundRoutes(parts),
  ...reconciliationRoutes(parts),
  ...historyRoutes(parts),
  ...orphanRoutes(parts),
  ...erasureRoutes(parts),
  ...deadLetterRoutes(parts),
  ...journalReaderRoutes(parts),
  ...healthRoutes(parts),
  ...objectRoutes(parts.objects),
  ...rehearsalRoutes(parts),
]

const mount = (app: Express, path: string, routes: readonly Route[], parts: HttpParts, streams: OpenStreams): void => {
  const at = app.route(path)
  at.all((_request, response, next) => {
    exchangeOf(response).route = path
    next()
  })
  for (const one of routes) {
    if (one.body !== null) at[one.method](...bodyOf(one.body, parts.limits))
    at[one.method](async (request, response) => {
      const { params, query, headers } = request
      const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0)
      const call = { requestId: exchangeOf(response).requestId, params, query, headers, body }
      send(request, response, await inTime(one, call, parts), parts, streams)
    })
  }
  const allow = routes.map(({ method }) => (method === 'get' ? 'GET, HEAD' : method.toUpperCase())).join(', ')
  at.all(() => {
    throw new Problem('method_not_allowed', { headers: { Allow: allow } })
  })
}

/** A part that hangs must not hold its callers: they are told to try again. */
const inTime = async (one: Route, call: RawCall, { env, limits }: HttpParts): Promise<Answer> => {
  const answered = new AbortController()
  const answer = one.answer(call).finally(() => answered.abort())
  const tooLate = env.clock.sleep(one.timeoutMs ?? limits.answerMs, answered.signal).then(() => {
    if (!answered.signal.aborted) throw new Problem('too_slow')
    return answer
  })
  return Promise.race([answer, tooLate])
}

/** Neither type is one that a page of another site may send unasked. */
const bodyOf = (kind: BodyKind, { bodyBytes, pictureBytes }: HttpLimits): RequestHandler[] =>
  kind === 'json'
    ? [requireType('application/json'), readBytes(bodyBytes)]
    : [requireType('image/*', 'application/octet-stream'), readBytes(pictureBytes)]

const requireType =
  (...types: string[]): RequestHandler =>
  (request, _response, next) => {
    if (request.is(types) === false) throw new Problem('media_type_unsupported')
    next()
  }

const readBytes = (limit: number): RequestHandler => express.raw({ type: () => true, limit, inflate: false })
