import { z } from 'zod'
import { isoTime } from '../../events/text.ts'
import type { Environment } from '../../machines/ports/environment.ts'
import { NoSuchObject, type ObjectMetadata, type Objects } from '../../machines/ports/objects.ts'
import { contentTypeOf } from '../shared/content-type.ts'
import { objectSegments } from '../shared/object-path.ts'
import type { Access } from './client.ts'
import { SupabaseError } from './errors.ts'
import { type StorageLimits, storageCalls, storageLimits } from './objects-calls.ts'

/** The platform's bucket of pictures and results. */
const BUCKET = 'virtual-tryon-images'

/** Images of the generator have 1 to 5 MB. */
const OBJECT_BYTES_MAX = 25 * 1024 * 1024
/** The service takes 1 MB. */
const METADATA_CHARS_MAX = 256 * 1024
/** As our own HTTP serves the folder's. */
const CACHE_S = 3_600
/** The most that the service puts on a page. */
const PAGE = 1_000
const PAGES_MAX = 1_000

export interface SupabaseObjects extends Objects {
  /** Resolves when the bucket is there for this key. @throws SupabaseError */
  check(): Promise<void>
}

export interface SupabaseObjectsOptions {
  readonly env: Environment
  readonly limits?: StorageLimits
}

/**
 * Objects in Supabase Storage. The service refuses an upload to a path that is taken, checked under a lock when the upload
 * ends (supabase/storage#1392, September 2026); in older ones the later of two uploads that overlap in time stands.
 */
export const openSupabaseObjects = (
  access: Access,
  { env, limits = storageLimits }: SupabaseObjectsOptions,
): SupabaseObjects => {
  const call = storageCalls(access, env, limits)
  const look = async (path: string) => {
    objectSegments(path)
    const info = await call('find', (storage) => storage.from(BUCKET).info(path), Info)
    return typeof info === 'string' ? null : info.metadata
  }

  return {
    async put(path, bytes, metadata) {
      objectSegments(path)
      const putId = env.newId()
      const options = uploadOptions(bytes, metadata, putId)
      const picture = new Blob([Uint8Array.from(bytes)], { type: options.contentType })
      const answer = await call('put', (storage) => storage.from(BUCKET).upload(path, picture, options), Uploaded)
      if (answer !== 'taken') return 'stored'
      // An upload that was repeated because its acknowledgement was lost finds itself.
      return (await look(path))?.put === putId ? 'stored' : 'exists'
    },
    async find(path) {
      const found = await look(path)
      return found === null ? null : metadataOf(found)
    },
    async sign(path, validMs) {
      objectSegments(path)
      const validS = Math.floor(validMs / 1_000)
      const signed = await call('sign', (storage) => storage.from(BUCKET).createSignedUrl(path, validS), Signed)
      if (typeof signed === 'string') throw new NoSuchObject()
      return signed
    },
    async remove(paths) {
      paths.forEach(objectSegments)
      const removed = await call('remove', (storage) => storage.from(BUCKET).remove([...paths]), Removed)
      return typeof removed === 'string' ? 0 : removed.length
    },
    async *list(folder) {
      objectSegments(folder.slice(0, -1))
      let cursor: string | undefined
      for (let pages = 0; pages < PAGES_MAX; pages++) {
        const from = cursor === undefined ? {} : { cursor }
        const options = { prefix: folder, limit: PAGE, ...from }
        const page = await call('list', (storage) => storage.from(BUCKET).listV2(options), Listed)
        if (typeof page === 'string') return
        for (const { name, created_at: at } of page.objects) yield { path: name, storedAtMs: Date.parse(at) }
        cursor = page.nextCursor
        if (!page.hasNext || cursor === undefined) return
      }
      throw new SupabaseError('unreadable', 'list', { seen: 'pages without end' })
    },
    async check() {
      const found = await call('bucket', (storage) => storage.getBucket(BUCKET), z.object({ id: z.literal(BUCKET) }))
      if (typeof found === 'string') throw new SupabaseError('bucket_missing', 'bucket')
    },
  }
}

/**
 * As a form, because then the metadata may be large; as text, because the client turns the keys of what `info` answers into
 * camelCase at any depth, and PostgreSQL keeps no NUL in its JSON. @throws SupabaseError `too_large`
 */
const uploadOptions = (bytes: Uint8Array, metadata: ObjectMetadata, put: string) => {
  const wearon = JSON.stringify(metadata)
  if (bytes.length > OBJECT_BYTES_MAX || wearon.length > METADATA_CHARS_MAX) throw new SupabaseError('too_large', 'put')
  const contentType = contentTypeOf(bytes)
  return { upsert: false, contentType, cacheControl: String(CACHE_S), metadata: { wearon, put } }
}

/** What was stored without our metadata, as the old worker did it, has none. */
const metadataOf = ({ wearon }: { readonly wearon?: string | undefined }): ObjectMetadata => {
  if (wearon === undefined) return {}
  try {
    return z.record(z.string(), z.unknown()).parse(JSON.parse(wearon))
  } catch {
    return {}
  }
}

const Uploaded = z.object({ fullPath: z.string() })

const Info = z.object({
  metadata: z
    .object({ wearon: z.string().optional().catch(undefined), put: z.string().optional().catch(undefined) })
    .nullish()
    .transform((metadata) => metadata ?? {}),
})

const Removed = z.array(z.object({ name: z.string() }))

const Listed = z.object({
  objects: z.array(z.object({ name: z.string(), created_at: z.iso.datetime({ offset: true }) })),
  hasNext: z.boolean(),
  nextCursor: z.string().optional(),
})

/** A signed URL carries a JWT whose `exp`, in seconds since the epoch, is when it ends. */
const Token = z.object({ exp: z.int().positive() })

const Signed = z.object({ signedUrl: z.url() }).transform(({ signedUrl: url }, context) => {
  const [, claims = ''] = new URL(url).searchParams.get('token')?.split('.') ?? []
  try {
    const { exp } = Token.parse(JSON.parse(Buffer.from(claims, 'base64url').toString()))
    return { url, expiresAt: isoTime(exp * 1_000) }
  } catch {
    context.addIssue({ code: 'custom', message: 'is not signed with a token that ends' })
    return z.NEVER
  }
})
