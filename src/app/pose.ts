import { openPosePool } from '../adapters/pose/pool.ts'
import type { Config } from '../config.ts'
import type { BodyParts } from '../http/parts.ts'
import type { Environment } from '../machines/ports/environment.ts'
import { pictureFetcher } from '../pictures/fetch.ts'
import { openPhoto } from '../pictures/photo.ts'
import { Turnstile } from '../pictures/turnstile.ts'
import type { Opened } from './open.ts'
import { ownPicture } from './own-pictures.ts'

/** Callers give up after 5 s (CONTRACT section 6): what is left is for the way to them. */
const DEADLINE_MS = 4_500
/** Leaves time to look at a photo that came late. */
const FETCH_MS = 3_000
/** More than wait for the models, so that some can wait for slow hosts beside them; each may hold 5 MB of pixels. */
const ESTIMATES_MAX = 24
/** Photos that are fetched and read at once, 10 MB each; those of one host leave some places to others. */
const FETCHED_MAX = 10
const FETCHED_OF_HOST_MAX = 8
/** Whoever is last in line waits for four photos of an engine: about a second. */
const WAITING_PER_WORKER = 4
/** A burst that was let in before the line was full still finds a place. */
const WAITING_SPARE = 4

export interface OpenedBodies {
  readonly parts: BodyParts
  close(): Promise<void>
}

/** What `POST /estimate-body` works with; null when it is turned off. @throws Error when IMAGE_HOSTS cannot be read. */
export const openBodies = (config: Config, env: Environment, opened: Opened): OpenedBodies | null => {
  if (config.pose === null) return null
  const { workers, overlay, ...engine } = config.pose
  const waitingMax = workers * WAITING_PER_WORKER
  const pool = openPosePool({ engine, workers, waitingMax: waitingMax + WAITING_SPARE, deadlineMs: DEADLINE_MS, env })
  const photos = pictureFetcher({
    hosts: config.imageHosts,
    use: openPhoto,
    own: ownPicture(opened.folder, opened.publicUrl),
    places: new Turnstile(FETCHED_MAX, FETCHED_OF_HOST_MAX),
    timeoutMs: FETCH_MS,
  })
  return {
    parts: { engine: pool, photos, overlay, deadlineMs: DEADLINE_MS, estimatesMax: ESTIMATES_MAX, waitingMax },
    close: async () => {
      await Promise.all([pool.close(), photos.close()])
    },
  }
}
