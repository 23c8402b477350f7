import sharp, { type OverlayOptions, type Sharp } from 'sharp'
import { lettering, widthPx } from '../../pictures/lettering.ts'
import { cutOut } from './cutout.ts'
import { findShoulders, type Shoulders } from './torso.ts'

/** The size of the picture, as the real generator's (CONTRACT section 5). */
export const WIDTH_PX = 1_024
export const HEIGHT_PX = 1_536
const FOOTER_PX = 64
const CARD_PX = 176
const MARGIN_PX = 28
const SHADOW_PX = 14

/** The person on the canvas, upright and whole: what a differing shape leaves free is filled with the blurred picture. */
export async function placePerson(picture: Sharp): Promise<{ canvas: Buffer; shoulders: Shoulders }> {
  const flat = await picture
    .flatten({ background: '#ffffff' })
    .toColourspace('srgb')
    .png({ compressionLevel: 1 })
    .toBuffer()
  const { data, info } = await sharp(flat)
    .resize({ width: WIDTH_PX, height: HEIGHT_PX, fit: 'inside' })
    .png({ compressionLevel: 1 })
    .toBuffer({ resolveWithObject: true })
  const left = Math.round((WIDTH_PX - info.width) / 2)
  const top = Math.round((HEIGHT_PX - info.height) / 2)
  const canvas = await sharp(flat)
    .resize({ width: WIDTH_PX, height: HEIGHT_PX, fit: 'cover' })
    .blur(28)
    .modulate({ brightness: 0.94 })
    .composite([{ input: data, left, top }])
    .png({ compressionLevel: 1 })
    .toBuffer()
  const { centreX, y, width } = await findShoulders(sharp(flat))
  const shoulders = { centreX: left + centreX * info.width, y: top + y * info.height, width: width * info.width }
  return { canvas, shoulders }
}

/** The garment over the torso: cut out of a plain background, else as a card. With a soft shadow. */
export async function placeGarment(picture: Sharp, shoulders: Shoulders): Promise<OverlayOptions[]> {
  const garment = await cutOut(picture.clone())
  if (garment === null) return placeCard(picture, shoulders)
  const isSpread = garment.widthPx > garment.heightPx * 0.9
  const width = Math.round(Math.min(shoulders.width * (isSpread ? 1.72 : 1.25), WIDTH_PX * 0.94))
  const height = Math.round(Math.min((garment.heightPx / garment.widthPx) * width, HEIGHT_PX * 0.6))
  const png = await sharp(garment.png).resize({ width, height, fit: 'inside' }).png().toBuffer()
  return withShadow(png, shoulders.centreX, shoulders.y - shoulders.width * 0.16)
}

async function placeCard(picture: Sharp, shoulders: Shoulders): Promise<OverlayOptions[]> {
  const width = Math.round(Math.min(Math.max(shoulders.width * 1.2, 260), WIDTH_PX * 0.5))
  const png = await card(picture, width, Math.round(width * 1.25))
  return withShadow(png, shoulders.centreX, shoulders.y + shoulders.width * 0.12)
}

/** Accessories as small cards in the lower left corner, above the footer. */
export async function placeAccessories(pictures: readonly Sharp[]): Promise<OverlayOptions[]> {
  const columns = Math.floor((WIDTH_PX - MARGIN_PX) / (CARD_PX + MARGIN_PX))
  const placed = pictures.map(async (picture, index) => {
    const left = MARGIN_PX + (index % columns) * (CARD_PX + MARGIN_PX)
    const row = Math.floor(index / columns) + 1
    const top = HEIGHT_PX - FOOTER_PX - row * (CARD_PX + MARGIN_PX)
    return withShadow(await card(picture, CARD_PX, CARD_PX), left + CARD_PX / 2, top)
  })
  return (await Promise.all(placed)).flat()
}

/** "PREVIEW" across the picture and the footer that says what this is. */
export function watermark(): OverlayOptions {
  const word = { text: 'PREVIEW', heightPx: 128 }
  const rows = [-560, 0, 560].map((y) => {
    const at = `translate(${-widthPx(word) / 2} ${y - word.heightPx / 2})`
    const dark = lettering({ ...word, strokePx: 22, color: 'rgba(0,0,0,.14)' })
    return `<g transform="${at}">${dark}${lettering({ ...word, strokePx: 14, color: 'rgba(255,255,255,.46)' })}</g>`
  })
  const footer = { text: 'WEARON PREVIEW - COMPOSED WITHOUT AN IMAGE MODEL', heightPx: 20 }
  const footerAt = `translate(${(WIDTH_PX - widthPx(footer)) / 2} ${HEIGHT_PX - (FOOTER_PX + footer.heightPx) / 2})`
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH_PX}" height="${HEIGHT_PX}">
    <g transform="translate(${WIDTH_PX / 2} ${HEIGHT_PX * 0.5}) rotate(-32)">${rows.join('')}</g>
    <rect y="${HEIGHT_PX - FOOTER_PX}" width="${WIDTH_PX}" height="${FOOTER_PX}" fill="#10161d" opacity=".82"/>
    <g transform="${footerAt}">${lettering({ ...footer, strokePx: 2.6, color: '#ffffff' })}</g></svg>`
  return { input: Buffer.from(svg), left: 0, top: 0 }
}

/** The picture filling a white-rimmed card with round corners. */
async function card(picture: Sharp, width: number, height: number): Promise<Buffer> {
  const rim = Math.round(width * 0.03) + 4
  const radius = rim * 2
  const inner = { width: width - 2 * rim, height: height - 2 * rim }
  const cover = await picture
    .clone()
    .resize({ ...inner, fit: 'cover', position: 'attention' })
    .flatten({ background: '#ffffff' })
    .toColourspace('srgb')
    .png()
    .toBuffer()
  const mask = roundedSvg(inner.width, inner.height, radius - rim / 2)
  const rounded = await sharp(cover)
    .ensureAlpha()
    .composite([{ input: mask, blend: 'dest-in' }])
    .png()
    .toBuffer()
  return sharp(roundedSvg(width, height, radius))
    .composite([{ input: rounded, left: rim, top: rim }])
    .png()
    .toBuffer()
}

const roundedSvg = (width: number, height: number, radius: number): Buffer =>
  Buffer.from(
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}"><rect width="${width}" height="${height}" rx="${radius}" fill="#fff"/></svg>`,
  )

/** The layer centred on x with its top at y, kept inside of the canvas, and beneath it its soft shadow. */
async function withShadow(png: Buffer, centreX: number, topY: number): Promise<OverlayOptions[]> {
  const { width, height } = await sharp(png).metadata()
  const left = Math.round(Math.min(Math.max(centreX - width / 2, 0), WIDTH_PX - width))
  const top = Math.round(Math.min(Math.max(topY, 0), HEIGHT_PX - FOOTER_PX - height))
  const pad = SHADOW_PX * 2
  const space = { top: pad, bottom: pad, left: pad, right: pad, background: { r: 0, g: 0, b: 0, alpha: 0 } }
  const padded = await sharp(png).extend(space).linear([0, 0, 0, 0.38], [0, 0, 0, 0]).png().toBuffer()
  const shadow = await sharp(padded)
    .blur(SHADOW_PX / 2)
    .extract({ left: 0, top: 0, width: width + 2 * pad, height: height + 2 * pad })
    .png()
    .toBuffer()
  return [await clipped(shadow, left - pad, top - pad + SHADOW_PX / 2), { input: png, left, top }]
}

/** sharp takes no layer that reaches outside of the canvas. */
async function clipped(png: Buffer, left: number, top: number): Promise<OverlayOptions> {
  const { width, height } = await sharp(png).metadata()
  const cut = { left: Math.max(0, -left), top: Math.max(0, -top) }
  const seen = {
    width: Math.min(width - cut.left, WIDTH_PX - Math.max(left, 0)),
    height: Math.min(height - cut.top, HEIGHT_PX - Math.max(top, 0)),
  }
  return {
    input: await sharp(png)
      .extract({ ...cut, ...seen })
      .png()
      .toBuffer(),
    left: Math.max(left, 0),
    top: Math.max(top, 0),
  }
}
