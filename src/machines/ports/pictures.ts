import type { NoImage } from './generator.ts'

/** Fetches the pictures that a task names, within limits, from addresses that may be asked. */
export interface PictureSource {
  /** The pictures in the order of their URLs. @throws the signal's reason once it aborts. */
  fetch(urls: readonly string[], signal: AbortSignal): Promise<Uint8Array[] | NoImage>
}
