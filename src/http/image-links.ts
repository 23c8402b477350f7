import { Owner } from '../events/owner.ts'
import { URL_VALID_MS } from '../machines/effects/generate.ts'
import { resultPath } from '../machines/effects/paths.ts'
import type { Environment } from '../machines/ports/environment.ts'
import { NoSuchObject, type ObjectStore } from '../machines/ports/objects.ts'
import type { SessionView } from '../projections/queries.ts'

type Image = Pick<SessionView, 'imageUrl' | 'imageUrlExpiresAt'>

/** `expired`: there was an image, and it is deleted. Null: there is none, or none yet. */
export interface ImageLink {
  readonly image: Image
  readonly state: 'available' | 'expired' | null
}

/** A URL that ends sooner than this is replaced by a new one, ms. */
const SPARE_MS = 600_000
/** Whoever polls gets the same answer for this long, ms. */
const CACHE_MS = 60_000
const CACHE_MAX = 1_000

/** The URLs of results, signed again when they have expired, as long as the images live. */
export class ImageLinks {
  readonly #objects: Pick<ObjectStore, 'sign'>
  readonly #env: Pick<Environment, 'clock' | 'meter'>
  /** Oldest first. */
  readonly #cache = new Map<string, { readonly atMs: number; readonly link: Promise<ImageLink> }>()

  constructor(objects: Pick<ObjectStore, 'sign'>, env: Pick<Environment, 'clock' | 'meter'>) {
    this.#objects = objects
    this.#env = env
  }

  /** Rejects when the storage does not answer. */
  async of(view: SessionView): Promise<ImageLink> {
    const image = { imageUrl: view.imageUrl, imageUrlExpiresAt: view.imageUrlExpiresAt }
    const owner = ownerOf(view)
    if (view.state !== 'completed' || owner === null) return { image, state: null }
    return this.#lasts(image) ? { image, state: 'available' } : this.#cached(resultPath(owner, view.sessionId))
  }

  #lasts({ imageUrl, imageUrlExpiresAt: expiresAt }: Image): boolean {
    return imageUrl !== null && expiresAt !== null && Date.parse(expiresAt) > this.#env.clock.now() + SPARE_MS
  }

  #cached(path: string): Promise<ImageLink> {
    const nowMs = this.#env.clock.now()
    const known = this.#cache.get(path)
    if (known !== undefined && nowMs - known.atMs < CACHE_MS) return known.link
    const link = this.#sign(path)
    this.#cache.delete(path)
    this.#cache.set(path, { atMs: nowMs, link })
    for (const oldest of this.#cache.keys()) {
      if (this.#cache.size <= CACHE_MAX) break
      this.#cache.delete(oldest)
    }
    link.catch(() => this.#cache.delete(path))
    return link
  }

  async #sign(path: string): Promise<ImageLink> {
    try {
      const { url, expiresAt } = await this.#objects.sign(path, URL_VALID_MS)
      this.#env.meter.count('image_urls_signed_again_total', { outcome: 'signed' })
      return { image: { imageUrl: url, imageUrlExpiresAt: expiresAt }, state: 'available' }
    } catch (error) {
      const gone = error instanceof NoSuchObject
      this.#env.meter.count('image_urls_signed_again_total', { outcome: gone ? 'gone' : 'failed' })
      if (gone) return { image: { imageUrl: null, imageUrlExpiresAt: null }, state: 'expired' }
      throw error
    }
  }
}

/** Null when the row does not say whose session it is. */
const ownerOf = ({ channel, tenant }: SessionView): Owner | null => {
  const id = tenant?.slice(tenant.indexOf(':') + 1)
  return Owner.safeParse(channel === 'b2b' ? { channel, storeId: id } : { channel, userId: id }).data ?? null
}
