import type { PlatformView } from '../adapters/postgres/platform-view.ts'
import type { Rehearsal } from '../http/parts.ts'
import type { ObjectStore } from '../machines/ports/objects.ts'
import { sniff } from '../pictures/sniff.ts'
import type { Producer } from '../projections/producer.ts'

/** Long enough for a session to wait as long as it may (`QUEUE_AGE_MAX`). */
const UPLOAD_VALID_MS = 21_600_000

/** Plays the platform around us: the producer's orders, and the upload of pictures. */
export const openRehearsal = (
  { producer, view, objects }: { producer: Producer; view: PlatformView; objects: ObjectStore },
  newId: () => string,
): Rehearsal => ({
  order: async (order) => {
    if ((await view.row(order.sessionId)) !== null) return 'exists'
    await producer.order(order)
    return 'ordered'
  },
  upload: async (bytes) => {
    const format = sniff(bytes)
    if (format === null) return null
    const path = `uploads/${newId()}.${format}`
    await objects.put(path, bytes, {})
    return objects.sign(path, UPLOAD_VALID_MS)
  },
})
