import type { Request, RequestHandler, Response } from 'express'
import { SessionId } from '../events/ids.ts'
import { GivenTraceparent } from '../events/traceparent.ts'
import type { Environment } from '../machines/ports/environment.ts'
import { beginSpan, fail, noSpan, type Span, SpanKind, traceOf } from '../tracing/trace.ts'
import type { HttpParts } from './parts.ts'
import { isFromAnotherSite } from './peer.ts'
import { Problem, type ProblemCode } from './problem.ts'
import { requestIdOf } from './request-id.ts'

/** One request and its answer, as logs and metrics tell it. */
export interface Exchange {
  readonly requestId: string
  /** The template that matched, never the path itself: paths are unbounded, and may hold what nobody should log. */
  route: string
  /** The session that it is about, where the path or the task names one. */
  sessionId: SessionId | null
  /** The problem that it was answered with. */
  code: ProblemCode | null
  /** What a trace shows of it; probes show nothing. */
  readonly span: Span
  /** Says that the answer is a stream: it may stay open for hours, and is no load and no latency. */
  becomesStream(): void
  /** Says that work for it begins; the answer says that it ended. Until then the request keeps its place, whoever left meanwhile. */
  beginsWork(): () => void
}

const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])
const SAFE_METHODS = new Set(['GET', 'HEAD', 'OPTIONS'])
/** They are answered however many requests are being worked on, and fill no log. */
const PROBES = new Set(['/livez', '/readyz', '/health', '/metrics'])
/** The client left before the answer did; nginx' number for it. */
const CLIENT_LEFT = 499

/** For an API: nothing is sniffed, framed, cached or given to other origins. */
const securityHeaders = new Map([
  ['X-Content-Type-Options', 'nosniff'],
  ['X-Frame-Options', 'DENY'],
  ['Referrer-Policy', 'no-referrer'],
  ['Content-Security-Policy', "default-src 'none'; frame-ancestors 'none'"],
  ['Cross-Origin-Resource-Policy', 'same-origin'],
  ['Cache-Control', 'no-store'],
])

/** First in line for every request: its id, its headers, its line in the log, its place in the metrics, its limit. */
export const beginExchange = ({ env, limits, publicUrl }: HttpParts): RequestHandler => {
  let inFlight = 0
  const count = (by: number) => {
    inFlight += by
    env.meter.gauge('http_requests_in_flight', inFlight)
  }
  return (request, response, next) => {
    count(1)
    const exchange = open(request, response, env, () => count(-1))
    response.locals['exchange'] = exchange
    response.setHeaders(securityHeaders).setHeader('X-Request-Id', exchange.requestId)
    if (inFlight > limits.requestsMax && !PROBES.has(request.path)) throw new Problem('overloaded')
    if (!SAFE_METHODS.has(request.method) && isFromAnotherSite(request, publicUrl())) throw new Problem('cross_site')
    next()
  }
}

/** What `beginExchange` knows of the request that this answers. */
export const exchangeOf = (response: Response): Exchange => response.locals['exchange'] as Exchange

/** Notes which route a request met. */
export const matched = ({ params }: Request, response: Response, route: string): void => {
  Object.assign(exchangeOf(response), { route, sessionId: SessionId.safeParse(params['id']).data ?? null })
}

/** A publication answers where its session is. */
const published = (response: Response): SessionId | null =>
  SessionId.safeParse(response.getHeader('location')?.toString().split('/').at(-1)).data ?? null

const open = (request: Request, response: Response, env: Environment, release: () => void): Exchange => {
  const startedAt = env.clock.now()
  let isStream = false
  /** Its answer, and what works for it. */
  let holders = 1
  const leave = () => {
    holders -= 1
    if (holders === 0) release()
  }
  const exchange: Exchange = {
    requestId: requestIdOf(request.headers['x-request-id'], () => env.newId()),
    route: 'unmatched',
    sessionId: null,
    code: null,
    span: spanOf(request),
    becomesStream: () => {
      if (!isStream) leave()
      isStream = true
    },
    beginsWork: () => {
      holders += 1
      return leave
    },
  }
  response.once('close', () => {
    if (!isStream) leave()
    record(exchange, request, response, { env, ms: env.clock.now() - startedAt, isStream })
  })
  return exchange
}

/** Probes come every few seconds, and show nothing. */
const spanOf = ({ path, method, headers }: Request): Span => {
  if (PROBES.has(path)) return noSpan
  const parent = GivenTraceparent.parse(headers['traceparent'])
  return beginSpan(`HTTP ${method}`, { kind: SpanKind.SERVER, parent })
}

const endSpan = ({ span, requestId, route, code }: Exchange, method: string, status: number): void => {
  span.updateName(`${method} ${route}`)
  span.setAttributes({
    'http.request.method': method,
    'http.route': route,
    'http.response.status_code': status,
    'request.id': requestId,
  })
  if (status >= 500) fail(span, code ?? String(status))
  span.end()
}

const record = (
  exchange: Exchange,
  { method: given }: Request,
  response: Response,
  { env, ms, isStream }: { env: Environment; ms: number; isStream: boolean },
): void => {
  const { requestId, route, code, span } = exchange
  const sessionId = exchange.sessionId ?? published(response)
  const method = METHODS.has(given) ? given : 'other'
  const status = response.writableFinished || isStream ? response.statusCode : CLIENT_LEFT
  endSpan(exchange, method, status)
  env.meter.count('http_requests_total', { method, route, status: String(status) })
  if (code !== null) env.meter.count('http_problems_total', { code })
  if (!isStream) env.meter.observe('http_request_seconds', ms / 1_000, { method, route })
  if (PROBES.has(route) && status < 400) return
  const level = status >= 500 ? 'warn' : 'info'
  env.logger[level](
    {
      requestId,
      ...(sessionId !== null && { sessionId }),
      ...traceOf(span),
      method,
      route,
      status,
      ms: Math.round(ms),
      ...(code !== null && { code }),
    },
    'request',
  )
}
