import sharp from 'sharp'

const WIDTH_PX = 4_000
const HEIGHT_PX = 3_000

/** As large as a phone's photo and as hard to compress: a JPEG of 12 megapixels and about 4 MB, with shapes and grain. */
export const phonePhoto = async (): Promise<Uint8Array> => {
  const shapes = await noise(WIDTH_PX / 8, HEIGHT_PX / 8, 40)
    .resize(WIDTH_PX, HEIGHT_PX)
    .png({ compressionLevel: 0 })
    .toBuffer()
  const grain = await noise(WIDTH_PX, HEIGHT_PX, 18).png({ compressionLevel: 0 }).toBuffer()
  return sharp(shapes)
    .composite([{ input: grain, blend: 'overlay' }])
    .jpeg({ quality: 85 })
    .toBuffer()
}

const noise = (width: number, height: number, sigma: number) =>
  sharp({
    create: { width, height, channels: 3, background: '#808080', noise: { type: 'gaussian', mean: 128, sigma } },
  })
