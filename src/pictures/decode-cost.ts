import type { Metadata } from 'sharp'

/** Kinds that a decoder must have whole in memory, in bytes for each pixel as seen at 100 megapixels; others are read in rows. */
const WHOLE = { heif: 19, gif: 5, webp: 5 } as const
const IN_ROWS = 1

/**
 * Bytes of memory that reading a picture takes at most, by its header. It says little about the file's size: an AVIF of four
 * kilobytes that takes two gigabytes exists.
 */
export const decodeBytes = (header: Metadata): number => header.width * header.height * bytesPerPixel(header)

const bytesPerPixel = ({ format, isProgressive, channels, depth }: Metadata): number => {
  const sample = depth === 'uchar' || depth === undefined ? 1 : 2
  if (format === 'heif' || format === 'gif' || format === 'webp') return WHOLE[format] * sample
  if (!isProgressive) return IN_ROWS
  // A progressive JPEG is kept as coefficients of two bytes each, an interlaced PNG as its samples.
  return channels * (format === 'jpeg' ? 2 : sample) + IN_ROWS
}
