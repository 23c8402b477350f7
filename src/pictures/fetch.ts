import { type Dispatcher, fetch, type Response } from 'undici'
import { fail, inSpan } from '../tracing/trace.ts'
import { gather } from './gather.ts'
import { guardedAgent, RefusedAddress, type ResolveHost } from './guarded-agent.ts'
import { type HostRules, hostRules } from './hosts.ts'
import { type PictureProblem, rejected, unavailable } from './problem.ts'
import { sniff } from './sniff.ts'
import { Turnstile } from './turnstile.ts'

/** At most this many pictures belong to a session, and so many are fetched at the same time. */
const PICTURES_MAX = 10
/** Photos of phones are 3 to 8 MB. */
const PICTURE_BYTES_MAX = 10 * 1024 * 1024
/** From the first name lookup to the last byte: a server that drips slower than this is as good as down. */
const PICTURE_TIMEOUT_MS = 15_000

/**
 * Pictures that this process holds as they were fetched, from the first byte until they were put to use: with 10 MB each the
 * bound of their memory. One tenant's slow servers leave a third of it to the others.
 */
const held = new Turnstile(12, 8)

/** What a fetched picture is put to: only its result is kept, the bytes are let go. */
export type UsePicture<Made extends object> = (bytes: Uint8Array) => Promise<Made | PictureProblem>

export interface FetchOptions<Made extends object> {
  /** The entries of IMAGE_HOSTS: `host` or `host:port`. Empty: any public address. */
  readonly hosts: readonly string[]
  readonly use: UsePicture<Made>
  /** Reads pictures that lie with us and need no fetching; null for any other URL. */
  readonly own?: (url: string) => Promise<Uint8Array | PictureProblem | null>
  /** Where fetched pictures are counted; those that somebody waits for have places of their own. */
  readonly places?: Turnstile
  readonly timeoutMs?: number
  readonly bytesMax?: number
  readonly resolve?: ResolveHost
}

/** Fetches pictures from addresses that strangers name. */
export interface PictureFetcher<Made extends object> {
  /**
   * What came of the pictures in the order of their URLs, or the first problem.
   * @param tenant for whom; pictures of one are fetched beside those of another.
   * @throws the signal's reason once it aborts.
   */
  fetch(urls: readonly string[], signal: AbortSignal, tenant: string): Promise<Made[] | PictureProblem>
  close(): Promise<void>
}

/** Connects only to addresses that the rules allow. @throws Error when an entry of `hosts` cannot be read. */
export function pictureFetcher<Made extends object>(options: FetchOptions<Made>): PictureFetcher<Made> {
  const rules = hostRules(options.hosts)
  const agent = guardedAgent(rules, options.resolve)
  const { use, own, places = held, timeoutMs = PICTURE_TIMEOUT_MS, bytesMax = PICTURE_BYTES_MAX } = options

  const fetchOne: FetchOne = async (text, stop) => {
    const found = await own?.(text)
    if (found) return found
    const url = allowedUrl(text, rules)
    if ('code' in url) return url
    const timeout = AbortSignal.timeout(timeoutMs)
    try {
      return await download(url, agent, AbortSignal.any([stop, timeout]), bytesMax)
    } catch (error) {
      stop.throwIfAborted()
      if (timeout.aborted) return unavailable(`not here after ${timeoutMs} ms`)
      return problemOf(error)
    }
  }
  const fetchAndUse = async (url: string, stop: AbortSignal): Promise<Made | PictureProblem> => {
    const fetched = await shown('fetch', () => fetchOne(url, stop))
    return fetched instanceof Uint8Array ? shown('prepare', () => use(fetched)) : fetched
  }

  return {
    async fetch(urls, signal, tenant) {
      signal.throwIfAborted()
      if (urls.length > PICTURES_MAX) return rejected(`${urls.length} pictures, at most ${PICTURES_MAX} are taken`)
      return allOrFirstProblem(urls, signal, (url, stop) => places.run(tenant, () => fetchAndUse(url, stop), stop))
    },
    close: () => agent.destroy(),
  }
}

/** Work on one picture as a trace shows it: that it failed and with which code, never where the picture lies. */
const shown = <Made extends object>(name: string, work: () => Promise<Made | PictureProblem>) =>
  inSpan(`picture ${name}`, {}, async (span) => {
    const made = await work()
    if (isProblem(made)) fail(span, made.code)
    return made
  })

type FetchOne = (url: string, stop: AbortSignal) => Promise<Uint8Array | PictureProblem>

/** Works on all at once; the first problem ends the others, since none of them is of use any more. */
async function allOrFirstProblem<Made extends object>(
  urls: readonly string[],
  signal: AbortSignal,
  work: (url: string, stop: AbortSignal) => Promise<Made | PictureProblem>,
): Promise<Made[] | PictureProblem> {
  const rest = new AbortController()
  const stop = AbortSignal.any([signal, rest.signal])
  let first: PictureProblem | null = null
  const one = async (url: string, index: number): Promise<Made> => {
    const made = await work(url, stop)
    if (!isProblem(made)) return made
    first ??= { ...made, detail: `picture ${index + 1}: ${made.detail}` }
    throw new FirstProblem()
  }
  try {
    return await Promise.all(urls.map(one))
  } catch (error) {
    signal.throwIfAborted()
    if (first !== null) return first
    throw error
  } finally {
    rest.abort()
  }
}

class FirstProblem extends Error {}

const isProblem = (made: object): made is PictureProblem => !(made instanceof Uint8Array) && 'code' in made

function allowedUrl(text: string, rules: HostRules): URL | PictureProblem {
  const url = URL.parse(text)
  if (url === null) return rejected('the address cannot be read')
  const refused = rules.refusesUrl(url)
  return refused === null ? url : rejected(refused)
}

async function download(url: URL, dispatcher: Dispatcher, signal: AbortSignal, bytesMax: number) {
  const headers = { accept: 'image/*', 'user-agent': 'wearon-worker' }
  const response = await fetch(url, { dispatcher, redirect: 'manual', headers, signal })
  const refused = refusedHead(response, bytesMax)
  if (refused === null) return readPicture(response, bytesMax)
  await response.body?.cancel()
  return refused
}

/** Statuses below 500 that say "later", not "no": request timeout, too early, too many requests. */
const LATER_STATUSES = new Set([408, 425, 429])
const PICTURE_TYPE = /^(?:image\/[\w.+-]+|(?:application|binary)\/octet-stream)\s*(?:;|$)/i

function refusedHead({ status, headers }: Response, bytesMax: number): PictureProblem | null {
  if (status >= 500 || LATER_STATUSES.has(status)) return unavailable(`answered with status ${status}`)
  if (status >= 300 && status < 400) return rejected(`redirects are not followed (status ${status})`)
  if (status !== 200) return rejected(`answered with status ${status}`)
  if (!PICTURE_TYPE.test(headers.get('content-type') ?? '')) return rejected("the content type is no picture's")
  if (Number(headers.get('content-length')) > bytesMax) return rejected(`larger than ${bytesMax} bytes`)
  return null
}

async function readPicture(response: Response, bytesMax: number): Promise<Uint8Array | PictureProblem> {
  const body = (response.body ?? []) as AsyncIterable<Uint8Array>
  const bytes = await gather(body, bytesMax, Number(response.headers.get('content-length')))
  if (bytes === null) return rejected(`larger than ${bytesMax} bytes`)
  return sniff(bytes) === null ? rejected('no picture format that is taken') : bytes
}

/** What went wrong beneath `fetch`. Only the error's code is told: messages may hold addresses. */
function problemOf(error: unknown): PictureProblem {
  const causes = causesOf(error)
  const refused = causes.find((cause) => cause instanceof RefusedAddress)
  if (refused !== undefined) return rejected(refused.message)
  const code = causes.map(codeOf).find((each) => each !== null)
  if (code?.startsWith('Z_') || code?.startsWith('ERR__ERROR_')) return rejected(`broken compression (${code})`)
  // The Fetch standard's list of ports that mean mail, printers and the like.
  if (causes.some(({ message }) => message === 'bad port')) return rejected('the port is none of a web server')
  if (causes.length > 0) return unavailable(`not reached (${code ?? causes.at(-1)?.name})`)
  throw error
}

const codeOf = (cause: Error): string | null =>
  'code' in cause && typeof cause.code === 'string' && cause.code !== '' ? cause.code : null

/** The error and what caused it. Happy eyeballs reports several failed addresses as one AggregateError. */
function causesOf(error: unknown, depth = 0): Error[] {
  if (!(error instanceof Error) || depth > 5) return []
  const inner: unknown[] = error instanceof AggregateError ? error.errors : []
  return [error, ...[error.cause, ...inner].flatMap((cause) => causesOf(cause, depth + 1))]
}
