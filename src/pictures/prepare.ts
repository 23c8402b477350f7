import sharp, { type Sharp } from 'sharp'
import { type PictureProblem, rejected } from './problem.ts'
import { sniff } from './sniff.ts'
import { Turnstile } from './turnstile.ts'

/** What the generators and the body estimates get (CONTRACT section 5). */
const SIDE_MAX_PX = 1_024
const JPEG_QUALITY = 75
/** Above every phone's sensor but a few; at 4 bytes a pixel the most that a picture may take while it is read. */
const PIXELS_MAX = 100_000_000

/**
 * Pictures that this process decodes at the same time: the bound of the memory that it takes. Each keeps one of libuv's four
 * threads busy, and looking up names and reading files need some too.
 */
const decoding = new Turnstile(2)
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
 * Opens a stranger's picture, upright and within the pixel limit, and turns what the decoder refuses into a problem. Waits
 * while as many pictures as may be are open.
 * @param work what to make of it: its own faults count as the picture's.
 */
export async function withPicture<Made>(
  bytes: Uint8Array,
  work: (picture: Sharp) => Promise<Made>,
): Promise<Made | PictureProblem> {
  // The decoder would also read SVG, TIFF and more, each with a history of its own.
  if (sniff(bytes) === null) return rejected('no picture format that is taken')
  try {
    return await decoding.run('', () =>
      work(sharp(bytes, { limitInputPixels: PIXELS_MAX, failOn: 'error' }).autoOrient()),
    )
  } catch (error) {
    if (!(error instanceof Error)) throw error
    return rejected(`the picture cannot be read: ${kindOf(error.message)}`)
  }
}

const kindOf = (message: string): string => {
  if (/pixel limit/i.test(message)) return `more than ${PIXELS_MAX} pixels`
  if (/premature|truncat|end of (?:file|stream|input)|not enough/i.test(message)) return 'it ends too early'
  return /unsupported image format/i.test(message) ? 'its kind is not supported' : 'it is damaged'
}
