import { isoTime } from '../../events/text.ts'
import type { ObjectMetadata, ObjectStore } from '../../machines/ports/objects.ts'
import { objectSegments } from '../shared/object-path.ts'

/** Objects in memory, for simulations and fast tests: neither timers nor randomness. */
export interface MemoryObjects extends ObjectStore {
  read(path: string): Promise<Uint8Array | null>
  /** Everything stored, by path. */
  readonly stored: ReadonlyMap<string, { readonly bytes: Uint8Array; readonly metadata: string }>
}

/** @param now milliseconds since the epoch. */
export function memoryObjects(now: () => number): MemoryObjects {
  const stored = new Map<string, { bytes: Uint8Array; metadata: string }>()
  return {
    stored,
    async put(path, bytes, metadata) {
      objectSegments(path)
      if (stored.has(path)) return 'exists'
      // Kept as JSON, as every real store keeps it: what JSON cannot hold shows in the fast tests too.
      stored.set(path, { bytes: Uint8Array.from(bytes), metadata: JSON.stringify(metadata) })
      return 'stored'
    },
    async find(path) {
      objectSegments(path)
      const found = stored.get(path)
      return found === undefined ? null : (JSON.parse(found.metadata) as ObjectMetadata)
    },
    async sign(path, validMs) {
      objectSegments(path)
      const expiresAt = isoTime(now() + validMs)
      return { url: `memory://objects/${path}?expires=${expiresAt}`, expiresAt }
    },
    async read(path) {
      objectSegments(path)
      return stored.get(path)?.bytes ?? null
    },
  }
}
