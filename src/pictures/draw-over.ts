import sharp from 'sharp'
import type { Pixels } from './photo.ts'

const QUALITY = 85

/** A JPEG of the pixels with a drawing of the same size over them. @param svg ours: a stranger's could name files. */
export const drawOver = ({ rgb, width, height }: Pixels, svg: string): Promise<Uint8Array> =>
  sharp(rgb, { raw: { width, height, channels: 3 } })
    .composite([{ input: Buffer.from(svg) }])
    .jpeg({ quality: QUALITY })
    .toBuffer()
