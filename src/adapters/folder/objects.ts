import { randomUUID } from 'node:crypto'
import { readFile, rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { isoTime } from '../../events/text.ts'
import { NoSuchObject, type ObjectMetadata, type Objects, type ServedObjects } from '../../machines/ports/objects.ts'
import { contentTypeOf } from '../shared/content-type.ts'
import { objectSegments } from '../shared/object-path.ts'
import { createFolder, hasCode, syncFolder, writeDurably } from './durable.ts'
import { listFolder } from './list.ts'
import { openSigner } from './signing.ts'
import { deleteObject, OBJECT_SUFFIX, STAGING, sweepFolder } from './sweep.ts'

/** How often a put is tried again when a sweep removed the empty folder that it was about to use. */
const PUT_TRIES_MAX = 5

export interface FolderOptions {
  /** Created when missing; holds the objects, the signing secret and what is being written. */
  readonly folder: string
  /** Where our HTTP is reached from outside by now, without a slash at its end: `http://127.0.0.1:8000`. */
  readonly publicUrl: () => string
  /** Milliseconds since the epoch. */
  readonly now: () => number
}

/** Objects in a folder, under URLs that our own HTTP serves until they expire. */
export interface FolderObjects extends Objects, ServedObjects {
  read(path: string): Promise<Uint8Array | null>
  /** Whether a URL's signature is right and its time not over. `expires` in Unix seconds, as in the URL. */
  verify(path: string, expires: string, signature: string, nowMs: number): boolean
  /** Where the object lies or would lie, for people. */
  fileOf(path: string): string
  /** Deletes the objects that are older than this, and what crashed writers left. Answers how many objects. */
  sweep(olderThanMs: number): Promise<number>
}

/**
 * Opens the folder. An object is a folder of its own, `<path>.object`, with the bytes and beside them the metadata; it is
 * written aside and renamed into place. That one rename is what stores it: never the one without the other, never twice.
 */
export async function openFolderObjects({ folder, publicUrl, now }: FolderOptions): Promise<FolderObjects> {
  const staging = join(folder, STAGING)
  await createFolder(staging)
  const signer = await openSigner(join(folder, '.secret'))
  const place = (path: string): ObjectPlace => placeOf(folder, path)

  const verify: FolderObjects['verify'] = (path, expires, signature, nowMs) =>
    /^\d{1,12}$/.test(expires) && signer.isRight(path, Number(expires), signature) && nowMs < Number(expires) * 1_000
  const read = async (path: string) => readOrNull(place(path).bytes)

  return {
    async put(path, bytes, metadata) {
      const target = place(path)
      if ((await readOrNull(target.metadata)) !== null) return 'exists'
      const staged = join(staging, randomUUID())
      try {
        await stage(staged, target, bytes, metadata)
        return await moveIntoPlace(staged, target.folder)
      } finally {
        await rm(staged, { recursive: true, force: true })
      }
    },
    async find(path) {
      const metadata = await readOrNull(place(path).metadata)
      return metadata === null ? null : (JSON.parse(metadata.toString('utf8')) as ObjectMetadata)
    },
    async sign(path, validMs) {
      if ((await readOrNull(place(path).metadata)) === null) throw new NoSuchObject()
      const expiresS = Math.floor((now() + validMs) / 1_000)
      const url = `${publicUrl()}/objects/${path}?expires=${expiresS}&signature=${signer.sign(path, expiresS)}`
      return { url, expiresAt: isoTime(expiresS * 1_000) }
    },
    async open(path, { expires, signature }) {
      if (typeof expires !== 'string' || typeof signature !== 'string') return 'forbidden'
      if (!verify(path, expires, signature, now())) return 'forbidden'
      const bytes = await read(path)
      return bytes === null ? 'gone' : { bytes, contentType: contentTypeOf(bytes) }
    },
    read,
    verify,
    fileOf: (path) => place(path).bytes,
    list: (below) => listFolder(join(folder, ...objectSegments(below.slice(0, -1))), below),
    async remove(paths) {
      let count = 0
      for (const { folder: object } of paths.map(place)) count += Number(await deleteObject(staging, object))
      return count
    },
    sweep: (olderThanMs) => sweepFolder(folder, now(), olderThanMs),
  }
}

interface ObjectPlace {
  readonly folder: string
  readonly name: string
  readonly bytes: string
  readonly metadata: string
}

/** @throws BadObjectPath */
function placeOf(root: string, path: string): ObjectPlace {
  const segments = objectSegments(path)
  const name = segments.at(-1) ?? ''
  const folder = join(root, ...segments) + OBJECT_SUFFIX
  return { folder, name, bytes: join(folder, name), metadata: join(folder, `${name}.json`) }
}

async function stage(staged: string, { name }: ObjectPlace, bytes: Uint8Array, metadata: ObjectMetadata) {
  await createFolder(staged)
  await writeDurably(join(staged, name), bytes)
  await writeDurably(join(staged, `${name}.json`), JSON.stringify(metadata))
  await syncFolder(staged)
}

/** A folder is never renamed over one that holds something, so exactly one of several writers stores. */
async function moveIntoPlace(staged: string, target: string): Promise<'stored' | 'exists'> {
  for (let tries = 1; ; tries++) {
    await createFolder(dirname(target))
    try {
      await rename(staged, target)
      await syncFolder(dirname(target))
      return 'stored'
    } catch (error) {
      if (hasCode(error, 'ENOTEMPTY', 'EEXIST')) return 'exists'
      if (!hasCode(error, 'ENOENT') || tries === PUT_TRIES_MAX) throw error
    }
  }
}

async function readOrNull(file: string): Promise<Buffer | null> {
  try {
    return await readFile(file)
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ENOTDIR')) return null
    throw error
  }
}
