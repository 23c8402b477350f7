import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { errorBody } from './openai-answers.ts'
import { type Part, readMultipart } from './openai-multipart.ts'

/*
 * A double. It stands for OpenAI's Images API, for what the generator uses of it and no more: POST /v1/images/edits with a
 * multipart form, JSON answers, and the ways in which answers fail to come. Forms are checked as the contract has them.
 */

const BODY_BYTES_MAX = 64 * 1024 * 1024
const PICTURES_MAX = 16
const DRIP_MS = 20

export interface Answer {
  readonly status?: number
  /** An object is sent as JSON. */
  readonly body?: object | string | Buffer
  readonly headers?: Readonly<Record<string, string>>
  /** `cut`: half of the body, then the connection is reset. `drip`: half of it, and then a space now and then, for ever. */
  readonly how?: 'cut' | 'drip'
}

/**
 * What becomes of one request. `hang`: it is read and nothing is ever answered. `reset`: it is read, and the connection is reset.
 * `unread`: the connection is reset at the first byte of its body.
 */
export type Act = Answer | 'hang' | 'reset' | 'unread'

export interface Call {
  readonly parts: readonly Part[]
  readonly headers: IncomingMessage['headers']
  /** Resolves when the connection is gone. */
  readonly gone: Promise<void>
}

export interface OpenaiServer {
  /** With the version at its end, as the client takes it. */
  readonly url: string
  readonly apiKey: string
  /** Requests that were read in full, oldest first. */
  readonly calls: readonly Call[]
  /** Requests that began to come, also those that were not read. */
  readonly begun: number
  /** Requests for which an image was made, or may have been. */
  readonly paid: number
  /** Requests that get no more from us, while their connections stand. */
  readonly held: number
  /** What becomes of the next requests, one each; the last one of them then stays. */
  act(...acts: readonly Act[]): void
  close(): Promise<void>
}

interface State {
  acts: readonly Act[]
  calls: Call[]
  begun: number
  paid: number
  held: number
}

export const startOpenai = async (apiKey = 'sk-test-0123456789'): Promise<OpenaiServer> => {
  const state: State = { acts: [], calls: [], begun: 0, paid: 0, held: 0 }
  const server = createServer((request, response) => {
    serve(state, apiKey, request, response).catch(() => request.socket.destroy())
  })
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}/v1`,
    apiKey,
    get calls() {
      return state.calls
    },
    get begun() {
      return state.begun
    },
    get paid() {
      return state.paid
    },
    get held() {
      return state.held
    },
    act: (...acts) => Object.assign(state, { acts, calls: [], begun: 0, paid: 0 }),
    close: () => {
      server.closeAllConnections()
      return new Promise((resolve) => {
        server.close(() => resolve())
      })
    },
  }
}

const serve = async (state: State, apiKey: string, request: IncomingMessage, response: ServerResponse) => {
  const act = state.acts[Math.min(state.begun, state.acts.length - 1)] ?? {}
  state.begun += 1
  if (act === 'unread') return void request.socket.resetAndDestroy()
  const gone = new Promise<void>((resolve) => {
    request.socket.once('close', () => resolve())
  })
  const { parts, problem } = partsOf(request, await bodyOf(request))
  const number = state.calls.push({ parts, headers: request.headers, gone })
  const refusal = refusalOf(request, apiKey, problem)
  if (refusal !== null) return send(response, request.socket, refusal, number, state)
  if (typeof act !== 'string') return send(response, request.socket, act, number, state)
  state.paid += 1
  if (act === 'reset') request.socket.resetAndDestroy()
  else hold(state, request.socket)
}

const hold = (state: State, socket: Socket): void => {
  state.held += 1
  socket.once('close', () => {
    state.held -= 1
  })
}

const bodyOf = async (request: IncomingMessage): Promise<Buffer> => {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.byteLength
    if (size > BODY_BYTES_MAX) throw new Error('too large')
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

const partsOf = (request: IncomingMessage, body: Buffer): { parts: Part[]; problem: string | null } => {
  try {
    const parts = readMultipart(request.headers['content-type'] ?? '', body)
    return { parts, problem: problemOf(parts) }
  } catch (error) {
    return { parts: [], problem: String(error) }
  }
}

/** The form of CONTRACT section 5. */
const problemOf = (parts: readonly Part[]): string | null => {
  const images = parts.filter(({ name }) => name === 'image[]')
  const fields = parts.filter(({ name }) => name !== 'image[]').map(({ name }) => name)
  if (fields.toSorted().join() !== 'model,n,prompt,quality,size') return `fields ${fields.join()}`
  if (images.length === 0 || images.length > PICTURES_MAX) return `${images.length} pictures`
  const misnamed = images.find(
    ({ filename, type }, index) =>
      filename !== (index === 0 ? 'model.jpg' : `image_${index}.jpg`) || type !== 'image/jpeg',
  )
  return misnamed === undefined ? null : `a picture called ${misnamed.filename}`
}

const refusalOf = (
  { method, url, headers }: IncomingMessage,
  apiKey: string,
  problem: string | null,
): Answer | null => {
  if (method !== 'POST' || url !== '/v1/images/edits') return { status: 404, body: errorBody('unknown_url') }
  if (headers.authorization !== `Bearer ${apiKey}`) return { status: 401, body: errorBody('invalid_api_key') }
  return problem === null ? null : { status: 400, body: { error: { message: problem, code: 'invalid_form' } } }
}

const send = (response: ServerResponse, socket: Socket, answer: Answer, number: number, state: State): void => {
  const { status = 200, body = '', headers = {}, how } = answer
  if (status === 200) state.paid += 1
  const bytes = Buffer.isBuffer(body) ? body : Buffer.from(typeof body === 'string' ? body : JSON.stringify(body))
  response.writeHead(status, {
    'content-type': 'application/json',
    'openai-organization': 'org-double',
    'openai-processing-ms': '21000',
    'openai-version': '2020-10-01',
    'x-request-id': `req_${number.toString(16).padStart(32, '0')}`,
    ...(how === 'cut' && { 'content-length': String(bytes.byteLength) }),
    ...headers,
  })
  if (how === undefined) return void response.end(bytes)
  response.write(bytes.subarray(0, bytes.byteLength / 2), () => (how === 'cut' ? socket.resetAndDestroy() : undefined))
  if (how === 'cut') return
  hold(state, socket)
  const drip = setInterval(() => response.write(' '), DRIP_MS)
  socket.once('close', () => clearInterval(drip))
}
