import { isoTime } from '../../events/text.ts'
import { NoSuchObject, type ObjectMetadata, type Objects } from '../../machines/ports/objects.ts'
import { objectSegments } from '../shared/object-path.ts'

/** Objects in memory, for simulations and fast tests: neither timers nor randomness. */
export interface MemoryObjects extends Objects {
  read(path: string): Promise<Uint8Array | null>
  /** What a signed URL gives until it expires, null otherwise. */
  open(url: string): Promise<Uint8Array | null>
  /** Everything stored, by path. */
  readonly stored: ReadonlyMap<string, Readonly<Stored>>
}

interface Stored {
  bytes: Uint8Array
  metadata: string
  storedAtMs: number
}

/** @param now milliseconds since the epoch. */
export function memoryObjects(now: () => number): MemoryObjects {
  const stored = new Map<string, Stored>()
  return {
    stored,
    async put(path, bytes, metadata) {
      objectSegments(path)
      if (stored.has(path)) return 'exists'
      // Kept as JSON, as every real store keeps it: what JSON cannot hold shows in the fast tests too.
      stored.set(path, { bytes: Uint8Array.from(bytes), metadata: JSON.stringify(metadata), storedAtMs: now() })
      return 'stored'
    },
    async find(path) {
      objectSegments(path)
      const found = stored.get(path)
      return found === undefined ? null : (JSON.parse(found.metadata) as ObjectMetadata)
    },
    async sign(path, validMs) {
      objectSegments(path)
      if (!stored.has(path)) throw new NoSuchObject()
      const expiresAt = isoTime(now() + validMs)
      return { url: `memory://objects/${path}?for=${path}&expires=${expiresAt}`, expiresAt }
    },
    async remove(paths) {
      paths.forEach(objectSegments)
      return paths.filter((path) => stored.delete(path)).length
    },
    async *list(folder) {
      objectSegments(folder.slice(0, -1))
      for (const [path, { storedAtMs }] of stored) if (path.startsWith(folder)) yield { path, storedAtMs }
    },
    async open(url) {
      const { pathname, searchParams } = new URL(url)
      const path = pathname.slice(1)
      const isRight = searchParams.get('for') === path && Date.parse(searchParams.get('expires') ?? '') > now()
      return isRight ? (stored.get(path)?.bytes ?? null) : null
    },
    async read(path) {
      objectSegments(path)
      return stored.get(path)?.bytes ?? null
    },
  }
}
