import type { Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { z } from 'zod'

/** No server answers, or it refused: `message` is for whoever typed the command. */
export class CommandFailed extends Error {
  override readonly name = 'CommandFailed'
}

const ProblemAnswer = z.object({
  detail: z.string(),
  code: z.string(),
  errors: z.array(z.object({ detail: z.string() })).default([]),
})

const ANSWER_MS = 130_000

/** What proves who asks. */
export interface Proof {
  /** An API key, sent with each request. */
  readonly key?: string | null
  /** The operator's token on this machine: sent once the server has asked for a key, and not before. */
  readonly token?: string | null
}

/** Talks to a running server. Every method @throws CommandFailed. */
export class Client {
  readonly url: string
  readonly #token: string | null
  #bearer: string | null

  constructor(url: string, { key = null, token = null }: Proof = {}) {
    this.url = url.replace(/\/+$/, '')
    this.#bearer = key
    this.#token = token
  }

  get<Value>(path: string, schema: z.ZodType<Value>): Promise<Value> {
    return this.#ask(path, {}, schema)
  }

  post<Value>(path: string, body: object | null, schema: z.ZodType<Value>): Promise<Value> {
    const json = body === null ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }
    return this.#ask(path, { method: 'POST', ...json }, schema)
  }

  /** Copies an answer as it comes, however long it is. */
  async copy(path: string, to: Writable): Promise<void> {
    const { body } = await this.#fetch(path, {})
    try {
      await pipeline(body ?? [], to, { end: false })
    } catch (error) {
      // Whoever reads our output may have had enough.
      if ((error as { code?: unknown }).code === 'EPIPE') return
      throw new CommandFailed(`${this.url} broke off: what was printed is not all`)
    }
  }

  delete<Value>(path: string, schema: z.ZodType<Value>): Promise<Value> {
    return this.#ask(path, { method: 'DELETE' }, schema)
  }

  /** Uploads a picture and answers where it can be fetched. */
  async upload(picture: Uint8Array): Promise<string> {
    const headers = { 'content-type': 'application/octet-stream' }
    const init = { method: 'POST', headers, body: new Uint8Array(picture) }
    return (await this.#ask('/v1/rehearsal/pictures', init, z.object({ url: z.string() }))).url
  }

  /** The data of a stream's events, as they come, until the server ends it or the signal aborts. */
  async *events(path: string, signal: AbortSignal): AsyncGenerator {
    const { body } = await this.#fetch(path, { signal })
    let rest = ''
    try {
      for await (const text of (body ?? new ReadableStream()).pipeThrough(new TextDecoderStream())) {
        const blocks = (rest + text).split('\n\n')
        rest = blocks.pop() ?? ''
        for (const block of blocks) yield* dataOf(block)
      }
    } catch (error) {
      if (!signal.aborted) throw error
    }
  }

  async #ask<Value>(path: string, init: RequestInit, schema: z.ZodType<Value>): Promise<Value> {
    const response = await this.#fetch(path, { ...init, signal: AbortSignal.timeout(ANSWER_MS) })
    const read = schema.safeParse(await response.json())
    if (read.success) return read.data
    throw new CommandFailed(`${this.url} answers in a form that this version does not know`)
  }

  async #fetch(path: string, init: RequestInit): Promise<Response> {
    const response = await this.#send(path, init)
    if (response.status === 401 && this.#bearer === null && this.#token !== null) {
      this.#bearer = this.#token
      await response.body?.cancel()
      return this.#fetch(path, init)
    }
    if (response.ok) return response
    const problem = ProblemAnswer.safeParse(await response.json().catch(() => null))
    if (!problem.success) throw new CommandFailed(`${this.url} answered with status ${response.status}`)
    const { code, detail, errors } = problem.data
    throw new CommandFailed([`${detail} (${code})`, ...errors.map((one) => `  ${one.detail}`)].join('\n'))
  }

  #send(path: string, init: RequestInit): Promise<Response> {
    const headers = new Headers(init.headers)
    if (this.#bearer !== null) headers.set('authorization', `Bearer ${this.#bearer}`)
    return fetch(this.url + path, { ...init, headers }).catch((error: unknown) => {
      throw new CommandFailed(unreachable(this.url, error))
    })
  }
}

function* dataOf(block: string): Generator {
  for (const line of block.split('\n')) if (line.startsWith('data: ')) yield JSON.parse(line.slice('data: '.length))
}

const unreachable = (url: string, error: unknown): string => {
  const cause = error instanceof Error ? error.cause : undefined
  const code = (cause as { code?: unknown } | undefined)?.code
  if (error instanceof Error && error.name === 'TimeoutError') return `${url} does not answer in time`
  const why = typeof code === 'string' ? ` (${code})` : ''
  return `no server answers at ${url}${why}. Start one with "make dev", or name another with --url`
}
