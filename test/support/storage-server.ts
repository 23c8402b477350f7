import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type ProjectKeys, projectKeys } from './postgrest-keys.ts'
import type { Fault as PostgrestFault } from './postgrest-server.ts'
import { type StorageAnswer, StorageBucket } from './storage-bucket.ts'
import { StorageRefusal } from './storage-errors.ts'
import { answerStorage, type StorageState } from './storage-routes.ts'

/*
 * A double. It stands for Supabase Storage (github.com/supabase/storage) behind the gateway of a hosted project, for what the
 * adapter uses of it and no more, with the objects in memory. The same suite runs against the real thing: see
 * objects-supabase.test.ts. What it does, and where it is written (paths in that repository, read in November 2026):
 * - Errors come under HTTP 400, the real status as text in the body: {"statusCode":"409","error":"Duplicate","message":"The
 *   resource already exists"}, newer ones with "code" besides (src/internal/errors/codes.ts, storage-error.ts:
 *   userStatusCode, src/http/error-handler.ts, src/http/schemas/error.ts). Fastify's own and 5xx keep their status.
 * - POST /object/<bucket>/<key> refuses a taken key unless x-upsert is true: when it begins, and again under a lock when it
 *   ends (src/storage/uploader.ts; the second only since pull request 1392). A form carries `cacheControl`, `metadata` (JSON of
 *   at most 1 MB) and the file under an empty name; a bare body has its metadata in the header x-metadata, base64, which the
 *   limits of proxies on headers cut (pull request 518). Answers {"Id","Key"} (src/http/routes/object/createObject.ts).
 * - GET /object/info/<bucket>/<key> answers the row, the metadata of the upload in `metadata` (src/storage/renderer/info.ts).
 *   Who may not look is told that there is no such bucket (getObjectInfo.ts).
 * - POST /object/sign/<bucket>/<key> {"expiresIn":seconds} looks the object up first, and answers {"signedURL":
 *   "/object/sign/…?token=<JWT with url, iat, exp>"} (src/storage/object.ts, signObjectUrl). GET of it needs no key; an expired
 *   token is 400 InvalidJWT, one for another path InvalidSignature (getSignedObject.ts).
 * - POST /object/list-v2/<bucket> without a delimiter lists whole names by name, at most 1000, with hasNext and nextCursor
 *   (src/storage/object.ts, listObjectsV2). DELETE /object/<bucket> {"prefixes":[…]} answers the rows that it deleted, [] for
 *   none (deleteObjects.ts). GET /bucket/<id> answers the bucket (src/http/routes/bucket/getBucket.ts).
 * - The gateway in front refuses unknown keys by itself (401, {"message"}), puts a JWT in the place of a secret key, and answers
 *   HTML when what is behind it does not.
 */

const BODY_MAX_BYTES = 60_000_000
const PREFIX = '/storage/v1'

/** What becomes of one request, beside PostgREST's. `half_answer`: the connection ends in the middle of the body. */
export type StorageFault = PostgrestFault | 'half_answer'

/** What a proxy says for a service that does not answer. */
export const BAD_GATEWAY: StorageFault = {
  status: 502,
  body: '<html><head><title>502 Bad Gateway</title></head></html>',
  headers: { 'Content-Type': 'text/html' },
}

export interface StorageServer {
  readonly url: string
  readonly keys: ProjectKeys
  /** The requests so far, oldest first: `POST /object/…`. */
  readonly requests: readonly { readonly name: string; readonly headers: IncomingMessage['headers'] }[]
  now(): number
  /** Moves its clock. */
  pass(ms: number): void
  /** Faults for the next requests, one each. */
  fail(...faults: readonly StorageFault[]): void
  /** Takes back the faults that no request met. */
  recover(): void
  /** Deletes the bucket. */
  dropBucket(): void
  close(): Promise<void>
}

export interface StorageServerOptions {
  readonly keys?: ProjectKeys
  /** Whether errors carry `code`. */
  readonly withCode?: boolean
  readonly pageMax?: number
}

export const startStorage = async ({
  keys = projectKeys(),
  withCode = true,
  pageMax = 1_000,
}: StorageServerOptions = {}): Promise<StorageServer> => {
  let aheadMs = 0
  const now = () => Date.now() + aheadMs
  const state: StorageState = { keys, bucketName: 'virtual-tryon-images', bucket: new StorageBucket(now, pageMax), now }
  const requests: { name: string; headers: IncomingMessage['headers'] }[] = []
  const faults: StorageFault[] = []
  const server = createServer((request, response) => {
    const { method = '', headers } = request
    const url = new URL((request.url ?? '').replace(PREFIX, ''), 'http://storage')
    requests.push({ name: `${method} ${url.pathname}`, headers })
    const fault = faults.shift()
    void bodyOf(request).then((body) =>
      answer(response, fault, () => work(state, { method, url, headers, body }, withCode)),
    )
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    keys,
    requests,
    now,
    pass: (ms) => {
      aheadMs += ms
    },
    fail: (...next) => {
      faults.push(...next)
    },
    recover: () => {
      faults.length = 0
    },
    dropBucket: () => {
      state.bucket = null
    },
    close: async () => {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

const work = async (
  state: StorageState,
  request: Parameters<typeof answerStorage>[1],
  withCode: boolean,
): Promise<StorageAnswer> => {
  try {
    return await answerStorage(state, request)
  } catch (error) {
    if (error instanceof StorageRefusal) return error.answer(withCode)
    throw error
  }
}

const bodyOf = async (request: IncomingMessage): Promise<Buffer> => {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length
    if (bytes <= BODY_MAX_BYTES) chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

const answer = async (
  response: ServerResponse,
  fault: StorageFault | undefined,
  carryOut: () => Promise<StorageAnswer>,
): Promise<void> => {
  if (fault === 'hang') return
  if (typeof fault === 'object') return void response.writeHead(fault.status, fault.headers).end(fault.body)
  const { status, body, contentType = 'application/json' } = await carryOut()
  if (fault === 'lose_answer') return void response.destroy()
  const bytes = body instanceof Uint8Array ? body : Buffer.from(JSON.stringify(body))
  response.writeHead(status, { 'Content-Type': contentType, 'Content-Length': bytes.length })
  if (fault !== 'half_answer') return void response.end(bytes)
  response.write(bytes.subarray(0, bytes.length / 2), () => response.destroy())
}
