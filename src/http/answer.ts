import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { ErrorRequestHandler, Request, Response } from 'express'
import type { Logger } from '../machines/ports/environment.ts'
import { EventStream, type OpenStreams } from './event-stream.ts'
import { type Exchange, exchangeOf } from './exchange.ts'
import type { HttpParts } from './parts.ts'
import { Problem, type ProblemCode, problemBody, problemHeaders, problems } from './problem.ts'
import type { Answer } from './route.ts'

/** The event streams that are open, and whether the caller may still listen. */
interface Streams {
  readonly open: OpenStreams
  readonly holds: () => Promise<boolean>
}

/** Sends what a route answered. */
export const send = (
  request: Request,
  response: Response,
  answer: Answer,
  parts: HttpParts,
  streams: Streams,
): void => {
  if (answer.chunks !== undefined) sendChunks(request, response, { ...answer, chunks: answer.chunks }, parts)
  else if (answer.stream === undefined) write(response, answer)
  else if (request.method === 'HEAD') write(response, { status: answer.status, body: '' })
  else stream(response, answer.stream, parts, streams)
}

/** A client that sees the end has all of it: what cannot be read to its end is cut off. */
const sendChunks = (
  { method }: Request,
  response: Response,
  { status, headers, chunks }: Answer & { chunks: AsyncIterable<string> },
  { env, limits }: HttpParts,
): void => {
  response.writeHead(status, headers)
  if (method === 'HEAD') {
    response.end()
    return
  }
  response.setTimeout(limits.stalledMs, () => response.destroy())
  pipeline(Readable.from(chunks), response).catch((error: unknown) => {
    const { requestId, route } = exchangeOf(response)
    env.logger.error({ requestId, route, error }, 'answer broke off')
  })
}

const stream = (
  response: Response,
  feed: (stream: EventStream) => Promise<void>,
  { env, limits }: HttpParts,
  { open: streams, holds }: Streams,
): void => {
  if (streams.full) throw new Problem('streams_exhausted')
  const exchange = exchangeOf(response)
  exchange.becomesStream()
  const opened = new EventStream(response, limits, env.clock)
  streams.add(opened)
  opened.open()
  const countOpen = () => env.meter.gauge('http_streams', streams.size)
  countOpen()
  opened.closed.addEventListener('abort', countOpen, { once: true })
  const watched = endWhenRevoked(opened, holds, { env, limits })
  watched.catch((error: unknown) => env.logger.error({ error }, 'a stream is not watched any more'))
  feed(opened).then(
    () => opened.end(),
    (error: unknown) => {
      env.logger.error({ requestId: exchange.requestId, route: exchange.route, error }, 'event stream broke off')
      opened.cut()
    },
  )
}

/** A stream may be open for hours: a key that is revoked meanwhile ends it. A database that does not answer does not. */
const endWhenRevoked = async (
  opened: EventStream,
  holds: () => Promise<boolean>,
  { env, limits }: Pick<HttpParts, 'env' | 'limits'>,
): Promise<void> => {
  while (!opened.closed.aborted) {
    await env.clock.sleep(limits.keyCacheMs, opened.closed)
    if (!opened.closed.aborted && !(await holds().catch(() => true))) opened.cut()
  }
}

/** The last in line: every error becomes a problem of the table, and what is not expected is logged in full. */
export const answerProblem =
  (logger: Logger): ErrorRequestHandler =>
  // Express takes a function for an error handler by its four parameters.
  (error: unknown, _request, response, _next) => {
    const exchange = exchangeOf(response)
    const problem = asProblem(error)
    exchange.code = problem.code
    logUnexpected(problem, exchange, logger)
    if (response.headersSent) response.destroy()
    else {
      const { status } = problems[problem.code]
      write(response, { status, headers: problemHeaders(problem), body: problemBody(problem, exchange.requestId) })
    }
  }

/** What the parsers of Express refuse carries a status; anything else was not foreseen. */
const codesByStatus: Readonly<Record<number, ProblemCode>> = { 413: 'body_too_large', 415: 'media_type_unsupported' }

const asProblem = (error: unknown): Problem => {
  if (error instanceof Problem) return error
  const status = error instanceof Error && 'status' in error ? error.status : undefined
  if (typeof status !== 'number' || status < 400 || status > 499) return new Problem('internal', { cause: error })
  return new Problem(codesByStatus[status] ?? 'malformed_request', { cause: error })
}

const logUnexpected = ({ code, cause }: Problem, { requestId, route }: Exchange, logger: Logger): void => {
  if (code === 'internal') logger.error({ requestId, route, error: cause }, 'request failed')
  else if (code === 'unavailable') logger.warn({ requestId, route, error: cause }, 'request needs what does not answer')
}

const write = (response: Response, { status, headers, body }: Answer): void => {
  if (body === undefined) {
    response.writeHead(status, headers).end()
    return
  }
  const [type, bytes] = encode(body)
  response.writeHead(status, { 'Content-Type': type, 'Content-Length': bytes.byteLength, ...headers }).end(bytes)
}

const encode = (body: object | string | Uint8Array): [type: string, bytes: Uint8Array] => {
  if (body instanceof Uint8Array) return ['application/octet-stream', body]
  if (typeof body === 'string') return ['text/plain; charset=utf-8', Buffer.from(body)]
  return ['application/json; charset=utf-8', Buffer.from(JSON.stringify(body))]
}
