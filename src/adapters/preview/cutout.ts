import sharp, { type Sharp } from 'sharp'

/** A thing without its background, as a PNG trimmed to what can be seen. */
export interface Cutout {
  readonly png: Uint8Array
  readonly widthPx: number
  readonly heightPx: number
}

/** Colour differences (Euclidean, 8 bits a channel) up to which a pixel is background; found by looking at shop photos. */
const BACKGROUND_DISTANCE = 38
/** A background is plain when this share of the picture's border has its colour. */
const PLAIN_SHARE = 0.8
const SIDE_MAX_PX = 900
/** A cut-out with less of the picture than this is not the thing, and one with more has no background. */
const KEPT_SHARE = { min: 0.04, max: 0.95 }

/** Cuts a garment out of its plain or transparent background; null when the picture has none. */
export async function cutOut(picture: Sharp): Promise<Cutout | null> {
  const { data, info } = await picture
    .resize({ width: SIDE_MAX_PX, height: SIDE_MAX_PX, fit: 'inside', withoutEnlargement: true })
    .toColourspace('srgb')
    .ensureAlpha()
    .raw({ depth: 'uchar' })
    .toBuffer({ resolveWithObject: true })
  const raster = { data, width: info.width, height: info.height }
  if (!isTransparent(raster) && !keyBackground(raster)) return null
  const kept = shareSeen(raster)
  if (kept < KEPT_SHARE.min || kept > KEPT_SHARE.max) return null
  return trimmed(raster)
}

interface Raster {
  /** RGBA, row by row. */
  readonly data: Buffer
  readonly width: number
  readonly height: number
}

const isTransparent = (raster: Raster): boolean => shareSeen(raster) < 1 - KEPT_SHARE.min

function shareSeen({ data, width, height }: Raster): number {
  let seen = 0
  for (let at = 3; at < data.length; at += 4) if ((data[at] ?? 0) > 127) seen++
  return seen / (width * height)
}

/** Makes transparent what has the border's colour and is connected to it: white buttons stay. False: not plain. */
function keyBackground({ data, width, height }: Raster): boolean {
  const border = borderPixels(width, height)
  const background = [0, 1, 2].map((channel) => median(border.map((pixel) => data[pixel * 4 + channel] ?? 0)))
  const isBackground = (pixel: number) => distance(data, pixel * 4, background) < BACKGROUND_DISTANCE
  const open = border.filter(isBackground)
  if (open.length < border.length * PLAIN_SHARE) return false
  for (let pixel = open.pop(); pixel !== undefined; pixel = open.pop()) {
    if (data[pixel * 4 + 3] === 0) continue
    data[pixel * 4 + 3] = 0
    const x = pixel % width
    if (x > 0 && isBackground(pixel - 1)) open.push(pixel - 1)
    if (x < width - 1 && isBackground(pixel + 1)) open.push(pixel + 1)
    if (pixel >= width && isBackground(pixel - width)) open.push(pixel - width)
    if (pixel < width * (height - 1) && isBackground(pixel + width)) open.push(pixel + width)
  }
  return true
}

const borderPixels = (width: number, height: number): number[] => [
  ...Array.from({ length: width }, (_, x) => [x, x + (height - 1) * width]).flat(),
  ...Array.from({ length: height }, (_, y) => [y * width, y * width + width - 1]).flat(),
]

const median = (values: number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0

/** The distance between the colour at a byte offset and another colour. */
export const distance = (data: Uint8Array, at: number, [red = 0, green = 0, blue = 0]: readonly number[]): number =>
  Math.hypot((data[at] ?? 0) - red, (data[at + 1] ?? 0) - green, (data[at + 2] ?? 0) - blue)

async function trimmed({ data, width, height }: Raster): Promise<Cutout> {
  const raw = { width, height, channels: 4 } as const
  // Blurred and steepened: half a pixel of the old background's colour goes from the edge, and no stairs stay.
  const edge = await sharp(data, { raw })
    .extractChannel(3)
    .blur(0.8)
    .linear(1.6, -0.6 * 255)
    .raw()
    .toBuffer()
  for (const [pixel, alpha] of edge.entries()) data[pixel * 4 + 3] = alpha
  const { data: png, info } = await sharp(data, { raw })
    .trim({ background: { r: 0, g: 0, b: 0, alpha: 0 }, threshold: 1 })
    .png({ compressionLevel: 1 })
    .toBuffer({ resolveWithObject: true })
  return { png, widthPx: info.width, heightPx: info.height }
}
