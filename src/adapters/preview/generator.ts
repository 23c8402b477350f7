import { createHash } from 'node:crypto'
import sharp, { type OverlayOptions, type Sharp } from 'sharp'
import { notNoted, type Provenance } from '../../events/generation.ts'
import type { Generator, MadeImage, NoImage } from '../../machines/ports/generator.ts'
import { withPicture } from '../../pictures/prepare.ts'
import { HEIGHT_PX, placeAccessories, placeGarment, placePerson, WIDTH_PX, watermark } from './compose.ts'

const JPEG_QUALITY = 88
const FREE = { inputTokens: 0, outputTokens: 0, costUsd: 0, byKind: null }
/** Larger pictures are brought to this size once, before anything is measured on them. */
const WORKING_SIDE_PX = 2_048
/** Filling the canvas with a sliver would first enlarge it to gigabytes; no person or garment looks like that. */
const SIDE_RATIO_MAX = 8

/**
 * Composes the garment onto the person without any model: no key, no cost, a clear watermark, the same bytes for the same
 * pictures. For a first look and for tests. @throws the signal's reason once it aborts.
 */
export function previewGenerator(): Generator {
  return {
    name: 'preview',
    requestsPerMinute: null,
    async generate({ pictures }, signal): Promise<MadeImage | NoImage> {
      signal.throwIfAborted()
      const opened: Sharp[] = []
      for (const [index, bytes] of pictures.entries()) {
        const picture = await withPicture(bytes, workingCopy)
        signal.throwIfAborted()
        if ('code' in picture) return { code: picture.code, detail: `picture ${index + 1}: ${picture.detail}` }
        opened.push(picture)
      }
      return compose(opened, provenanceOf(pictures), signal)
    },
  }
}

async function compose(pictures: readonly Sharp[], provenance: Provenance, signal: AbortSignal) {
  const [person, garment, ...accessories] = pictures
  if (person === undefined) return { code: 'input_rejected', detail: 'there is no picture of a person' } as const
  const { canvas, shoulders } = await placePerson(person)
  signal.throwIfAborted()
  const layers: OverlayOptions[] = garment === undefined ? [] : await placeGarment(garment, shoulders)
  signal.throwIfAborted()
  layers.push(...(await placeAccessories(accessories)), watermark())
  signal.throwIfAborted()
  const bytes = await sharp(canvas)
    .composite(layers)
    .flatten({ background: '#ffffff' })
    .jpeg({ quality: JPEG_QUALITY })
    .toBuffer()
  signal.throwIfAborted()
  return { bytes, usage: FREE, provenance }
}

const provenanceOf = (pictures: readonly Uint8Array[]): Provenance => ({
  ...notNoted,
  generator: 'preview',
  model: 'preview-1',
  parameters: { width: WIDTH_PX, height: HEIGHT_PX, quality: JPEG_QUALITY },
  inputs: pictures.map((picture) => createHash('sha256').update(picture).digest('hex')),
})

/** Decoded in full, so that a damaged picture shows here and not halfway through. */
async function workingCopy(picture: Sharp): Promise<Sharp | NoImage> {
  const bounds = { width: WORKING_SIDE_PX, height: WORKING_SIDE_PX, fit: 'inside', withoutEnlargement: true } as const
  const { data, info } = await picture
    .resize(bounds)
    .toColourspace('srgb')
    .png({ compressionLevel: 1 })
    .toBuffer({ resolveWithObject: true })
  if (Math.max(info.width / info.height, info.height / info.width) > SIDE_RATIO_MAX)
    return { code: 'input_rejected', detail: `one side is more than ${SIDE_RATIO_MAX} times the other` }
  return sharp(data)
}
