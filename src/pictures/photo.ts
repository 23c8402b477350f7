import { webcrypto } from 'node:crypto'
import { withPicture } from './prepare.ts'
import type { PictureProblem } from './problem.ts'

/** Upright pixels, without alpha: rows from the top, three bytes (R, G, B) a pixel, sRGB, no padding. */
export interface Pixels {
  readonly rgb: Uint8Array
  /** px, 1 to `PHOTO_SIDE_MAX`. */
  readonly width: number
  readonly height: number
}

/** A stranger's photo, to be looked at. */
export interface Photo extends Pixels {
  /** Of the bytes as they were fetched, hexadecimal: all that may be kept of a photo. */
  readonly sha256: string
  /** Time that reading it took, waiting for its turn included. */
  readonly decodeMs: number
}

/** Longest side, px. The networks look at 256 × 256 of it; the edges of the mask are measured in these pixels. */
const PHOTO_SIDE_MAX = 1_280

/** Reads a fetched photo: upright, flattened on white, sRGB, the first frame of several, at most `PHOTO_SIDE_MAX` px long. */
export async function openPhoto(bytes: Uint8Array): Promise<Photo | PictureProblem> {
  const startedAt = performance.now()
  const pixels = await pixelsOf(bytes)
  if ('code' in pixels) return pixels
  return { ...pixels, sha256: await digestOf(bytes), decodeMs: performance.now() - startedAt }
}

const pixelsOf = (bytes: Uint8Array): Promise<Pixels | PictureProblem> =>
  withPicture(bytes, async (picture) => {
    const { data, info } = await picture
      .resize({ width: PHOTO_SIDE_MAX, height: PHOTO_SIDE_MAX, fit: 'inside', withoutEnlargement: true })
      .flatten({ background: '#ffffff' })
      .toColourspace('srgb')
      .raw({ depth: 'uchar' })
      .toBuffer({ resolveWithObject: true })
    return { rgb: data, width: info.width, height: info.height }
  })

/** In a thread of its own: ten megabytes would hold up the event loop for some milliseconds. */
const digestOf = async (bytes: Uint8Array): Promise<string> =>
  Buffer.from(await webcrypto.subtle.digest('SHA-256', bytes as Uint8Array<ArrayBuffer>)).toString('hex')
