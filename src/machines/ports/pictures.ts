import type { NoImage } from './generator.ts'

/** Fetches the pictures that a task names, within limits, from addresses that may be asked, and makes them ready. */
export interface PictureSource {
  /**
   * The pictures in the order of their URLs as a generator takes them: JPEG, upright, flattened on white, at most 1024 px on the
   * longest side, no metadata. What was fetched is held no longer than that takes.
   * @param tenant for whom: one tenant's slow pictures hold up nobody else's.
   * @throws the signal's reason once it aborts.
   */
  fetch(urls: readonly string[], signal: AbortSignal, tenant: string): Promise<Uint8Array[] | NoImage>
}
