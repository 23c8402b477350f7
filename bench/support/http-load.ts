import autocannon from 'autocannon'
import { quantile } from './figures.ts'
import type { RequestMix } from './http-mix.ts'

export interface Load {
  readonly connections: number
  readonly perSecond: number
  readonly seconds: number
}

/** How the server answered a load. */
export interface Answers {
  /** How many a second, over the time that it took. */
  readonly perSecond: number
  readonly p50Ms: number
  readonly p99Ms: number
  readonly slowestMs: number
  /** How many of each status. */
  readonly statuses: ReadonlyMap<number, number>
  /** No answer: broken connections, and waits that were given up. */
  readonly lost: number
  /** Refusals for the moment (429, 503) that do not say when to come again. */
  readonly withoutRetryAfter: number
}

/** How long a client waits for an answer. */
const PATIENCE_S = 10

/**
 * So many requests over so many connections, each of which sends the next one as soon as the last is answered, up to its share of
 * the rate each second: so a second begins with a crowd. Ends when all are answered, or given up.
 */
export const fire = async (
  url: string,
  mix: RequestMix,
  { connections, perSecond, seconds }: Load,
): Promise<Answers> => {
  const tookMs: number[] = []
  const statuses = new Map<number, number>()
  let withoutRetryAfter = 0
  const startedAt = performance.now()
  const ended = Promise.withResolvers<autocannon.Result>()
  const options: autocannon.Options = {
    url,
    connections,
    overallRate: perSecond,
    amount: perSecond * seconds,
    timeout: PATIENCE_S,
    requests: [
      {
        setupRequest: (request) => mix.next(request),
        onResponse: (status, body, _context, headers) => {
          statuses.set(status, (statuses.get(status) ?? 0) + 1)
          if ((status === 429 || status === 503) && headers?.['Retry-After'] === undefined) withoutRetryAfter += 1
          mix.answered(status, body)
        },
      },
    ],
  }
  const running = autocannon(options, (error: unknown, result) => (error ? ended.reject(error) : ended.resolve(result)))
  running.on('response', (_client, _status, _bytes, ms) => tookMs.push(ms))
  const { errors } = await ended.promise
  const of = (share: number) => quantile(tookMs, share)
  return {
    perSecond: (tookMs.length / (performance.now() - startedAt)) * 1_000,
    p50Ms: of(0.5),
    p99Ms: of(0.99),
    slowestMs: of(1),
    statuses,
    lost: errors,
    withoutRetryAfter,
  }
}
