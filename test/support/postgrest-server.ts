import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import pg from 'pg'
import { errorAnswer } from './postgrest-errors.ts'
import { type ProjectKeys, projectKeys, readToken, TEST_SECRET, tokenOf } from './postgrest-keys.ts'
import { type Answer, callFunction } from './postgrest-rpc.ts'

/*
 * A double. It stands for PostgREST 12 to 14 behind the gateway of a hosted project, for what the adapter uses of them and no
 * more: POST /rest/v1/rpc/<function> with named arguments in a JSON object. The database behind it, its roles and its grants
 * are real. The same suite runs against the real thing: see store-supabase.test.ts.
 */

const BODY_MAX_BYTES = 8_000_000
/** A hosted project's pool is about as small. */
const CONNECTIONS = 10

/** What becomes of one request. `lose_answer`: it is carried out, and the connection ends. `hang`: nothing is ever answered. */
export type Fault =
  | 'lose_answer'
  | 'hang'
  | { readonly status: number; readonly body?: string; readonly headers?: Readonly<Record<string, string>> }

export interface PostgrestServer {
  readonly url: string
  readonly keys: ProjectKeys
  /** The requests so far, oldest first. */
  readonly requests: readonly { readonly name: string; readonly headers: IncomingMessage['headers'] }[]
  /** Faults for the next requests, one each. */
  fail(...faults: readonly Fault[]): void
  /** Takes back the faults that no request met. */
  recover(): void
  close(): Promise<void>
}

/** Starts it in front of a database. `databaseUrl` names the authenticator as its user. */
export const startPostgrest = async (databaseUrl: string): Promise<PostgrestServer> => {
  const pool = new pg.Pool({ connectionString: databaseUrl, max: CONNECTIONS })
  pool.on('error', () => undefined)
  const keys = projectKeys()
  const requests: { name: string; headers: IncomingMessage['headers'] }[] = []
  const faults: Fault[] = []
  const server = createServer((request, response) => {
    requests.push({ name: nameOf(request), headers: request.headers })
    void answer(request, response, faults.shift(), (body) => handle(pool, keys, request, body))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    keys,
    requests,
    fail: (...next) => {
      faults.push(...next)
    },
    recover: () => {
      faults.length = 0
    },
    close: async () => {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
      await pool.end()
    },
  }
}

const answer = async (
  request: IncomingMessage,
  response: ServerResponse,
  fault: Fault | undefined,
  work: (body: string) => Promise<Answer>,
): Promise<void> => {
  const body = await bodyOf(request)
  if (fault === 'hang') return
  if (typeof fault === 'object') return end(response, fault.status, fault.body ?? '', fault.headers)
  if (body === null) return send(response, gatewayAnswer(413, 'Request size limit exceeded'))
  const answered = await work(body)
  if (fault === 'lose_answer') return void response.destroy()
  return send(response, answered)
}

const bodyOf = async (request: IncomingMessage): Promise<string | null> => {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length
    if (bytes <= BODY_MAX_BYTES) chunks.push(chunk)
  }
  return bytes > BODY_MAX_BYTES ? null : Buffer.concat(chunks).toString()
}

const PREFIX = '/rest/v1/rpc/'

const nameOf = ({ url = '' }: IncomingMessage): string => url.replace(PREFIX, '')

/** What the gateway checks, then what PostgREST does. */
const handle = async (
  pool: pg.Pool,
  keys: PostgrestServer['keys'],
  request: IncomingMessage,
  body: string,
): Promise<Answer> => {
  if (!request.url?.startsWith(PREFIX)) return gatewayAnswer(404, 'no Route matched with those values')
  const apikey = request.headers['apikey']
  if (apikey === undefined) return gatewayAnswer(401, 'No API key found in request')
  if (!Object.values(keys).includes(String(apikey))) return gatewayAnswer(401, 'Invalid API key')
  const token = tokenOf(keys, String(apikey), request.headers.authorization)
  const claims = token === null ? { role: 'anon' } : readToken(token, TEST_SECRET)
  if ('code' in claims) return errorAnswer(401, claims.code, claims.message)
  if (request.method !== 'POST') return errorAnswer(405, 'PGRST101', 'The double takes POST only')
  if ((request.headers['content-profile'] ?? 'public') !== 'public')
    return errorAnswer(406, 'PGRST106', 'The schema must be one of the following: public')
  const args = argumentsOf(body)
  if (args === null) return errorAnswer(400, 'PGRST102', 'Empty or invalid json')
  return callFunction(pool, { role: claims.role, name: nameOf(request), args })
}

const argumentsOf = (body: string): Record<string, unknown> | null => {
  try {
    const args: unknown = JSON.parse(body)
    return typeof args === 'object' && args !== null && !Array.isArray(args) ? (args as Record<string, unknown>) : null
  } catch {
    return null
  }
}

const gatewayAnswer = (status: number, message: string): Answer => ({ status, body: { message } })

const send = (response: ServerResponse, { status, body }: Answer): void =>
  end(response, status, typeof body === 'string' ? body : body === null ? '' : JSON.stringify(body))

const end = (
  response: ServerResponse,
  status: number,
  body: string,
  headers: Readonly<Record<string, string>> = {},
): void => {
  const content = body === '' ? {} : { 'Content-Type': 'application/json; charset=utf-8' }
  response.writeHead(status, { ...content, ...headers }).end(body)
}
