import type { IncomingMessage } from 'node:http'
import { type ProjectKeys, readToken, signedToken, TEST_SECRET, tokenOf } from './postgrest-keys.ts'
import type { StorageAnswer, StorageBucket } from './storage-bucket.ts'
import { refuse } from './storage-errors.ts'

export interface StorageRequest {
  readonly method: string
  /** Behind `/storage/v1`. */
  readonly url: URL
  readonly headers: IncomingMessage['headers']
  readonly body: Buffer
}

export interface StorageState {
  readonly keys: ProjectKeys
  readonly bucketName: string
  /** Null: there is no bucket. */
  bucket: StorageBucket | null
  readonly now: () => number
}

/** `isValidKey` of src/storage/limits.ts, and what it takes of metadata. */
const KEY = /^[\w/!.*'() &$@=;:+,?-]+$/
const METADATA_BYTES_MAX = 1024 * 1024
const FILE_BYTES_MAX = 50 * 1024 * 1024

/** What the gateway checks, then what storage-api does. */
export const answerStorage = async (state: StorageState, request: StorageRequest): Promise<StorageAnswer> => {
  const { pathname } = request.url
  const found = routes.find(({ method, path }) => method === request.method && path.test(pathname))
  if (found === undefined) return { status: 404, body: { message: `Route ${request.method}:${pathname} not found` } }
  const { bucket = '', key = '' } = found.path.exec(pathname)?.groups ?? {}
  if (!found.open) {
    const refused = gatewayRefusal(state.keys, request.headers)
    if (refused !== null) return refused
    checkRole(state, request.headers, found.hides ?? false)
  }
  if (bucket !== state.bucketName || state.bucket === null) throw refuse.noBucket()
  return found.handle(state.bucket, decodeURIComponent(key), { ...request, state })
}

const gatewayRefusal = (keys: ProjectKeys, headers: IncomingMessage['headers']): StorageAnswer | null => {
  const apikey = headers['apikey']
  if (apikey === undefined) return { status: 401, body: { message: 'No API key found in request' } }
  const isKnown = Object.values(keys).includes(String(apikey))
  return isKnown ? null : { status: 401, body: { message: 'Invalid API key' } }
}

/** Row-level security lets the service role alone see the bucket; `info` says to all others that there is none. */
const checkRole = ({ keys }: StorageState, headers: IncomingMessage['headers'], hides: boolean): void => {
  const token = tokenOf(keys, String(headers['apikey']), headers.authorization)
  const claims = readToken(token ?? '', TEST_SECRET)
  if ('role' in claims && claims.role === 'service_role') return
  if (hides) throw refuse.noBucket()
  throw 'code' in claims ? refuse.unsigned() : refuse.denied()
}

type Handle = (
  bucket: StorageBucket,
  key: string,
  request: StorageRequest & { readonly state: StorageState },
) => StorageAnswer | Promise<StorageAnswer>

const upload: Handle = async (bucket, key, { headers, body, state }) => {
  if (!KEY.test(key)) throw refuse.badKey()
  if (headers['x-upsert'] !== 'true' && bucket.has(key)) throw refuse.taken()
  const form = await formOf(headers, body)
  const metadata = form.get('metadata') ?? 'null'
  const file = form.get('')
  if (!(file instanceof Blob) || typeof metadata !== 'string') throw refuse.badRequest()
  if (file.size > FILE_BYTES_MAX || metadata.length > METADATA_BYTES_MAX) throw refuse.tooLarge()
  const bytes = new Uint8Array(await file.arrayBuffer())
  const userMetadata: unknown = JSON.parse(metadata)
  // Once more when the upload ends (supabase/storage#1392).
  if (headers['x-upsert'] !== 'true' && bucket.has(key)) throw refuse.taken()
  const { id } = bucket.set(key, { bytes, contentType: file.type, userMetadata })
  return { status: 200, body: { Id: id, Key: `${state.bucketName}/${key}` } }
}

const formOf = async (headers: IncomingMessage['headers'], body: Buffer): Promise<FormData> => {
  const answer = new Response(new Uint8Array(body), { headers: { 'Content-Type': headers['content-type'] ?? '' } })
  // oxlint-disable-next-line typescript/no-deprecated -- it holds bodies in memory, and these are a test's.
  return answer.formData().catch(() => {
    throw refuse.badRequest()
  })
}

const info: Handle = (bucket, key) => {
  const object = bucket.get(key)
  if (object === undefined) throw refuse.noKey()
  return { status: 200, body: bucket.info(key, object) }
}

const sign: Handle = (bucket, key, { body, state }) => {
  const { expiresIn } = json(body) as { expiresIn?: unknown }
  if (typeof expiresIn !== 'number' || !Number.isInteger(expiresIn) || expiresIn < 1) throw refuse.badRequest()
  if (!bucket.has(key)) throw refuse.noKey()
  const url = `${state.bucketName}/${key}`
  const iat = Math.floor(state.now() / 1_000)
  const token = signedToken({ url, iat, exp: iat + expiresIn }, TEST_SECRET)
  return { status: 200, body: { signedURL: `/object/sign/${url}?token=${token}` } }
}

const openSigned: Handle = (bucket, key, { url, state }) => {
  const claims = readToken(url.searchParams.get('token') ?? '', TEST_SECRET, state.now())
  if ('code' in claims) throw refuse.badToken()
  if (claims.url !== `${state.bucketName}/${key}`) throw refuse.badSignature()
  const object = bucket.get(key)
  if (object === undefined) throw refuse.noKey()
  return { status: 200, body: object.bytes, contentType: object.contentType }
}

const remove: Handle = (bucket, _, { body }) => {
  const { prefixes } = json(body) as { prefixes?: unknown }
  if (!Array.isArray(prefixes) || prefixes.length === 0) throw refuse.badRequest()
  return { status: 200, body: bucket.delete(prefixes.map(String)) }
}

const list: Handle = (bucket, _, { body }) => ({ status: 200, body: bucket.list(json(body)) })

const bucketInfo: Handle = (_, __, { state }) => ({
  status: 200,
  body: { id: state.bucketName, name: state.bucketName, owner: '', public: false },
})

const json = (body: Buffer): Record<string, unknown> => {
  try {
    return JSON.parse(body.toString()) as Record<string, unknown>
  } catch {
    throw refuse.badRequest()
  }
}

/** `open`: needs no key. `hides`: whoever may not look is told that there is no bucket. The first that fits answers. */
const routes: readonly { method: string; path: RegExp; handle: Handle; open?: boolean; hides?: boolean }[] = [
  { method: 'GET', path: /^\/bucket\/(?<bucket>[^/]+)$/, handle: bucketInfo, hides: true },
  { method: 'GET', path: /^\/object\/info\/(?<bucket>[^/]+)\/(?<key>.+)$/, handle: info, hides: true },
  { method: 'GET', path: /^\/object\/sign\/(?<bucket>[^/]+)\/(?<key>.+)$/, handle: openSigned, open: true },
  { method: 'POST', path: /^\/object\/sign\/(?<bucket>[^/]+)\/(?<key>.+)$/, handle: sign },
  { method: 'POST', path: /^\/object\/list-v2\/(?<bucket>[^/]+)$/, handle: list },
  { method: 'POST', path: /^\/object\/(?<bucket>[^/]+)\/(?<key>.+)$/, handle: upload },
  { method: 'DELETE', path: /^\/object\/(?<bucket>[^/]+)$/, handle: remove },
]
