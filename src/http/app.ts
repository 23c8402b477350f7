import type { RequestListener } from 'node:http'
import express, { type Express, type RequestHandler } from 'express'
import { within } from '../tracing/trace.ts'
import { answerProblem, send } from './answer.ts'
import { apiDocRoutes } from './api-docs.ts'
import { auditRoutes } from './audit.ts'
import { type Caller } from './caller.ts'
import { censusRoutes } from './census.ts'
import { consoleRoutes } from './console.ts'
import { consoleSessionRoutes } from './console-session.ts'
import { deadLetterRoutes } from './dead-letters.ts'
import { erasureRoutes } from './erasures.ts'
import { estimateBodyRoutes } from './estimate-body.ts'
import { OpenStreams } from './event-stream.ts'
import { beginExchange, exchangeOf, matched } from './exchange.ts'
import { FactFeed } from './fact-feed.ts'
import { Gate } from './gate.ts'
import { handbackRoutes } from './handbacks.ts'
import { healthRoutes } from './health.ts'
import { historyRoutes } from './history.ts'
import { inTime } from './in-time.ts'
import { journalReaderRoutes } from './journal-readers.ts'
import { keyRoutes } from './keys.ts'
import { machineRoutes } from './machine.ts'
import { notedFor } from './noted.ts'
import { objectRoutes } from './objects.ts'
import { operateRoutes } from './operate.ts'
import { orphanRoutes } from './orphans.ts'
import type { HttpLimits, HttpParts } from './parts.ts'
import { pauseRoutes } from './pauses.ts'
import { Problem } from './problem.ts'
import { publishRoutes } from './publish.ts'
import { reconciliationRoutes } from './reconciliation.ts'
import { refundRoutes } from './refunds.ts'
import { rehearsalRoutes } from './rehearsal.ts'
import type { BodyKind, Route } from './route.ts'
import { sessionRoutes } from './sessions.ts'
import { streamRoutes } from './streams.ts'
import { timelineRoutes } from './timeline.ts'

/** The HTTP side, ready to be served by `listen`. */
export interface Http {
  readonly handler: RequestListener
  /** Ends every event stream in order; their clients come back by themselves. */
  endStreams(): void
}

/**
 * Puts all routes behind one door: ids, limits, keys, logs, metrics and problems are the same for each of them. `probesOnly`:
 * for a process that serves no API, but is watched like any other.
 */
export const createHttp = (parts: HttpParts, { probesOnly = false } = {}): Http => {
  const streams = new OpenStreams(parts.limits.streamsMax)
  const gate = new Gate(parts)
  const app = express()
  app.disable('x-powered-by').disable('etag').enable('case sensitive routing').set('query parser', 'simple')
  app.set('trust proxy', [...parts.trustedProxies])
  app.use(beginExchange(parts))
  const served = probesOnly ? healthRoutes(parts) : routesOf(parts, gate)
  for (const [path, routes] of Map.groupBy(served, ({ path: template }) => template)) {
    mount(app, path, routes, { parts, gate, streams })
  }
  app.use(() => {
    throw new Problem('route_unknown')
  })
  app.use(answerProblem(parts.env.logger))
  return { handler: app as RequestListener, endStreams: () => streams.endAll() }
}

/** Every route of the API, in the order in which they are matched. */
export const routesOf = (parts: HttpParts, gate: Pick<Gate, 'forget' | 'sessions'>): Route[] => {
  const feed = new FactFeed(parts.archive, parts.env)
  const routes: Route[] = [
    ...publishRoutes(parts),
    ...streamRoutes(parts, feed),
    ...censusRoutes(parts, feed),
    ...machineRoutes(),
    ...sessionRoutes(parts),
    ...timelineRoutes(parts),
    ...operateRoutes(parts),
    ...pauseRoutes(parts),
    ...handbackRoutes(parts),
    ...refundRoutes(parts),
    ...reconciliationRoutes(parts),
    ...historyRoutes(parts),
    ...orphanRoutes(parts),
    ...erasureRoutes(parts),
    ...deadLetterRoutes(parts),
    ...journalReaderRoutes(parts),
    ...keyRoutes(parts, gate),
    ...auditRoutes(parts),
    ...consoleRoutes(),
    ...consoleSessionRoutes(parts, gate.sessions),
    ...estimateBodyRoutes(parts),
    ...healthRoutes(parts),
    ...objectRoutes(parts.objects),
    ...rehearsalRoutes(parts),
    ...apiDocRoutes(() => routes),
  ]
  return routes
}

interface Door {
  readonly parts: HttpParts
  readonly gate: Gate
  readonly streams: OpenStreams
}

const mount = (app: Express, path: string, routes: readonly Route[], door: Door): void => {
  const at = app.route(path)
  at.all((request, response, next) => {
    matched(request, response, path)
    next()
  })
  for (const one of routes) {
    // Before the body is read: whoever may not ask sends none.
    at[one.method](admitted(one, door))
    if (one.body !== null) at[one.method](...bodyOf(one.body, door.parts.limits))
    at[one.method](answering(one, door))
  }
  const allow = routes.map(({ method }) => (method === 'get' ? 'GET, HEAD' : method.toUpperCase())).join(', ')
  at.all(() => {
    throw new Problem('method_not_allowed', { headers: { Allow: allow } })
  })
}

const admitted =
  ({ access }: Route, { gate, parts }: Door): RequestHandler =>
  async (request, response, next) => {
    const { clock } = parts.env
    const startedAt = clock.now()
    response.locals['caller'] = await inTime(
      gate.admit(access, request, response),
      parts.limits.answerMs,
      response,
      parts,
    )
    response.locals['admittedMs'] = clock.now() - startedAt
    next()
  }

const answering =
  (one: Route, { parts, gate, streams }: Door): RequestHandler =>
  async (request, response) => {
    const caller = response.locals['caller'] as Caller
    const { params, query, headers } = request
    const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0)
    const { requestId, span } = exchangeOf(response)
    const call = { caller, requestId, params, query, headers, body }
    const answer = within(span, () => one.answer(call, notedFor(caller, requestId, parts)))
    // One wait for the caller, whatever it was spent on; how long its body took is its own affair.
    const leftMs = one.timeoutMs ?? parts.limits.answerMs - (response.locals['admittedMs'] as number)
    const inTimeAnswer = await inTime(answer, leftMs, response, parts)
    send(request, response, inTimeAnswer, parts, { open: streams, holds: () => gate.holds(caller) })
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
