import type { SessionId } from '../../events/ids.ts'
import type { Clock } from '../ports/environment.ts'
import type { ImageMetadata } from './image-metadata.ts'

/** Where more of them wait, storage is down for writing: nothing more is paid for before it answers. */
const IMAGES_MAX = 32
const BYTES_MAX = 64 * 1024 * 1024
/** A session that waits for storage asks every minute; one that did not so long ended, or is with another process. */
const FORGOTTEN_AFTER_MS = 600_000

/** An image that was paid for, and what is to be stored with it. */
export interface PaidImage {
  readonly bytes: Uint8Array
  readonly metadata: ImageMetadata
}

interface Kept {
  readonly image: PaidImage
  readonly askedAt: number
}

/**
 * Images that were paid for and do not lie in storage yet. They are kept in memory: a process that dies takes them along, and
 * each of their sessions then costs one more call.
 */
export class PaidImages {
  readonly #clock: Clock
  readonly #kept = new Map<SessionId, Kept>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Whether so many wait that no further one should be paid for. Those that run may still be kept. */
  isFull(): boolean {
    for (const [session, { askedAt }] of this.#kept)
      if (this.#clock.now() - askedAt > FORGOTTEN_AFTER_MS) this.#kept.delete(session)
    const bytes = this.#kept.values().reduce((sum, { image }) => sum + image.bytes.byteLength, 0)
    return this.#kept.size >= IMAGES_MAX || bytes >= BYTES_MAX
  }

  keep(session: SessionId, image: PaidImage): void {
    this.#kept.set(session, { image, askedAt: this.#clock.now() })
  }

  of(session: SessionId): PaidImage | null {
    const kept = this.#kept.get(session)
    if (kept === undefined) return null
    this.keep(session, kept.image)
    return kept.image
  }

  drop(session: SessionId): void {
    this.#kept.delete(session)
  }
}
