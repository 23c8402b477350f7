import { type LookupAddress, lookup as systemLookup } from 'node:dns'
import { callbackify } from 'node:util'
import { Agent, fetch, type Response } from 'undici'
import { type HostRules, hostRules } from './hosts.ts'
import { type PictureProblem, rejected, unavailable } from './problem.ts'
import { sniff } from './sniff.ts'

/** At most this many pictures belong to a session, and so many are fetched at the same time. */
const PICTURES_MAX = 10
/** Photos of phones are 3 to 8 MB. */
const PICTURE_BYTES_MAX = 10 * 1024 * 1024
/** From the first name lookup to the last byte: a server that drips slower than this is as good as down. */
const PICTURE_TIMEOUT_MS = 15_000
const HEADER_BYTES_MAX = 16 * 1024

/** Every address of a host name, as `dns.lookup` finds them. */
export type ResolveHost = (host: string) => Promise<readonly LookupAddress[]>

export interface FetchOptions {
  /** The entries of IMAGE_HOSTS: `host` or `host:port`. Empty: any public address. */
  readonly hosts: readonly string[]
  readonly timeoutMs?: number
  readonly bytesMax?: number
  readonly resolve?: ResolveHost
}

/** Fetches pictures from addresses that strangers name; a PictureSource of the machines, and of the body estimates. */
export interface PictureFetcher {
  /** The pictures in the order of their URLs, or the first problem. @throws the signal's reason once it aborts. */
  fetch(urls: readonly string[], signal: AbortSignal): Promise<Uint8Array[] | PictureProblem>
  close(): Promise<void>
}

/** Connects only to addresses that the rules allow. @throws Error when an entry of `hosts` cannot be read. */
export function pictureFetcher(options: FetchOptions): PictureFetcher {
  const rules = hostRules(options.hosts)
  const agent = guardedAgent(rules, options.resolve ?? resolveBySystem)
  const timeoutMs = options.timeoutMs ?? PICTURE_TIMEOUT_MS
  const bytesMax = options.bytesMax ?? PICTURE_BYTES_MAX

  const fetchOne = async (text: string, name: string, stop: AbortSignal): Promise<Uint8Array | PictureProblem> => {
    const url = URL.parse(text)
    if (url === null) return rejected(`${name}: the address cannot be read`)
    const refused = rules.refusesUrl(url)
    if (refused !== null) return rejected(`${name}: ${refused}`)
    const timeout = AbortSignal.timeout(timeoutMs)
    try {
      const signal = AbortSignal.any([stop, timeout])
      const headers = { accept: 'image/*', 'user-agent': 'wearon-worker' }
      const response = await fetch(url, { dispatcher: agent, redirect: 'manual', headers, signal })
      return await readPicture(response, name, bytesMax)
    } catch (error) {
      stop.throwIfAborted()
      if (timeout.aborted) return unavailable(`${name}: not here after ${timeoutMs} ms`)
      return problemOf(error, name)
    }
  }

  return {
    async fetch(urls, signal) {
      signal.throwIfAborted()
      if (urls.length > PICTURES_MAX) return rejected(`${urls.length} pictures, at most ${PICTURES_MAX} are taken`)
      return allOrFirstProblem(urls, signal, (url, index, stop) => fetchOne(url, `picture ${index + 1}`, stop))
    },
    close: () => agent.destroy(),
  }
}

type FetchOne = (url: string, index: number, stop: AbortSignal) => Promise<Uint8Array | PictureProblem>

/** Fetches all at once; the first problem ends the others, since none of them is of use any more. */
async function allOrFirstProblem(urls: readonly string[], signal: AbortSignal, fetchOne: FetchOne) {
  const rest = new AbortController()
  const stop = AbortSignal.any([signal, rest.signal])
  let first: PictureProblem | null = null
  const one = async (url: string, index: number): Promise<Uint8Array> => {
    const picture = await fetchOne(url, index, stop)
    if (picture instanceof Uint8Array) return picture
    first ??= picture
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

/** Statuses below 500 that say "later", not "no": request timeout, too early, too many requests. */
const LATER_STATUSES = new Set([408, 425, 429])
const PICTURE_TYPE = /^(?:image\/[\w.+-]+|(?:application|binary)\/octet-stream)\s*(?:;|$)/i

async function readPicture(response: Response, name: string, bytesMax: number): Promise<Uint8Array | PictureProblem> {
  const refused = refusedHead(response, name, bytesMax)
  const bytes = refused === null ? await readAtMost(response, bytesMax) : null
  if (refused !== null) await response.body?.cancel()
  if (bytes === null) return refused ?? rejected(`${name}: larger than ${bytesMax} bytes`)
  return sniff(bytes) === null ? rejected(`${name}: no picture format that is taken`) : bytes
}

function refusedHead({ status, headers }: Response, name: string, bytesMax: number): PictureProblem | null {
  if (status >= 500 || LATER_STATUSES.has(status)) return unavailable(`${name}: answered with status ${status}`)
  if (status >= 300 && status < 400) return rejected(`${name}: redirects are not followed (status ${status})`)
  if (status !== 200) return rejected(`${name}: answered with status ${status}`)
  if (!PICTURE_TYPE.test(headers.get('content-type') ?? ''))
    return rejected(`${name}: the content type is no picture's`)
  if (Number(headers.get('content-length')) > bytesMax) return rejected(`${name}: larger than ${bytesMax} bytes`)
  return null
}

/** The body after decompression, or null as soon as it is longer than `bytesMax`. */
async function readAtMost(response: Response, bytesMax: number): Promise<Uint8Array | null> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of (response.body ?? []) as AsyncIterable<Uint8Array>) {
    size += chunk.byteLength
    if (size > bytesMax) return null
    chunks.push(chunk)
  }
  return Buffer.concat(chunks, size)
}

/** Checks every address of a name and hands on just these, so that the connection goes to what was checked. */
function guardedAgent(rules: HostRules, resolve: ResolveHost): Agent {
  const guarded = callbackify(async (host: string): Promise<LookupAddress[]> => {
    const addresses = await resolve(host)
    const refused = addresses.map(({ address }) => rules.refusesAddress(host.replace(/\.$/, ''), address))
    const reason = refused.find((each) => each !== null)
    if (reason !== undefined) throw new RefusedAddress(reason)
    return [...addresses]
  })
  return new Agent({
    // No connection outlives its answer: the next fetch resolves and checks again.
    pipelining: 0,
    maxHeaderSize: HEADER_BYTES_MAX,
    connect: {
      lookup: (host, { all }, done) =>
        guarded(host, (error, found) => {
          if (error !== null) done(error, [])
          else if (all) done(null, found)
          else done(null, found[0]?.address ?? '', found[0]?.family)
        }),
    },
  })
}

class RefusedAddress extends Error {}

const resolveBySystem: ResolveHost = (host) =>
  new Promise((resolve, reject) => {
    systemLookup(host, { all: true }, (error, addresses) => (error === null ? resolve(addresses) : reject(error)))
  })

/** What went wrong beneath `fetch`. Only the error's code is told: messages may hold addresses. */
function problemOf(error: unknown, name: string): PictureProblem {
  const causes = causesOf(error)
  const refused = causes.find((cause) => cause instanceof RefusedAddress)
  if (refused !== undefined) return rejected(`${name}: ${refused.message}`)
  const code = causes.map((cause) => ('code' in cause ? String(cause.code) : '')).find((each) => each !== '')
  if (code?.startsWith('Z_') || code?.startsWith('ERR__ERROR_'))
    return rejected(`${name}: broken compression (${code})`)
  if (causes.length > 0) return unavailable(`${name}: not reached (${code ?? 'no code'})`)
  throw error
}

/** The error and what caused it. Happy eyeballs reports several failed addresses as one AggregateError. */
function causesOf(error: unknown, depth = 0): Error[] {
  if (!(error instanceof Error) || depth > 5) return []
  const inner: unknown[] = error instanceof AggregateError ? error.errors : []
  return [error, ...[error.cause, ...inner].flatMap((cause) => causesOf(cause, depth + 1))]
}
