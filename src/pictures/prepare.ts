import { availableParallelism } from 'node:os'
import sharp, { type Sharp } from 'sharp'
import { decodeBytes } from './decode-cost.ts'
import { type PictureProblem, rejected } from './problem.ts'
import { sniff } from './sniff.ts'
import { Turnstile } from './turnstile.ts'

/** What the generators and the body estimates get (CONTRACT section 5). */
const SIDE_MAX_PX = 1_024
const JPEG_QUALITY = 75
/** Above every phone's sensor but a few. */
const PIXELS_MAX = 100_000_000
/** Memory for one picture while it is read; takes an AVIF of 28 megapixels, and a progressive JPEG of 76. */
const DECODE_BYTES_MAX = 512 * 1024 * 1024
/** Photos of twelve megapixels, progressive ones too, stay below it. */
const ORDINARY_BYTES_MAX = 96 * 1024 * 1024
/** A picture that takes longer was made to. */
const DECODE_SECONDS_MAX = 30

/**
 * Pictures that this process reads at the same time: the bound of the memory that it takes, a large one waiting for other large
 * ones only. A core is left to the event loop, and one of libuv's four threads to looking up names and reading files.
 */
const ordinary = new Turnstile(Math.max(1, Math.min(2, availableParallelism() - 1)))
const large = new Turnstile(1)
// One thread for each of them, and nothing kept of a picture that does not come again.
sharp.concurrency(1)
sharp.cache(false)

/**
 * Makes a fetched picture ready: upright, flattened on white, at most 1024 px on its longest side, JPEG, no metadata.
 * The same bytes for the same input.
 */
export async function preparePicture(bytes: Uint8Array): Promise<Uint8Array | PictureProblem> {
  return withPicture(bytes, (picture) =>
    picture
      .resize({ width: SIDE_MAX_PX, height: SIDE_MAX_PX, fit: 'inside', withoutEnlargement: true })
      .flatten({ background: '#ffffff' })
      .toColourspace('srgb')
      .jpeg({ quality: JPEG_QUALITY })
      .toBuffer(),
  )
}

/**
 * Opens a stranger's picture, upright and within the limits, and turns what the decoder refuses into a problem. Waits while as
 * many pictures as may be are open.
 * @param work what to make of it: its own faults count as the picture's.
 */
export async function withPicture<Made>(
  bytes: Uint8Array,
  work: (picture: Sharp) => Promise<Made>,
): Promise<Made | PictureProblem> {
  // The decoder would also read SVG, TIFF and more, each with a history of its own.
  if (sniff(bytes) === null) return rejected('no picture format that is taken')
  try {
    const picture = sharp(bytes, { limitInputPixels: PIXELS_MAX, failOn: 'error' })
    const needed = decodeBytes(await picture.metadata())
    if (needed > DECODE_BYTES_MAX) return rejected(`reading it would take more than ${DECODE_BYTES_MAX} bytes`)
    const turnstile = needed > ORDINARY_BYTES_MAX ? large : ordinary
    return await turnstile.run('', () => work(picture.autoOrient().timeout({ seconds: DECODE_SECONDS_MAX })))
  } catch (error) {
    if (!(error instanceof Error)) throw error
    return rejected(`the picture cannot be read: ${kindOf(error.message)}`)
  }
}

const kindOf = (message: string): string => {
  if (/pixel limit/i.test(message)) return `more than ${PIXELS_MAX} pixels`
  if (/premature|truncat|end of (?:file|stream|input)|not enough/i.test(message)) return 'it ends too early'
  if (/timeout/i.test(message)) return `not within ${DECODE_SECONDS_MAX} s`
  return /unsupported image format/i.test(message) ? 'its kind is not supported' : 'it is damaged'
}
