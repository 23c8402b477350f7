import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import sharp, { type Sharp } from 'sharp'
import { describe, expect, test } from 'vitest'
import { preparePicture } from '../../src/pictures/prepare.ts'

const shared = join(import.meta.dirname, '../../../shared/data')
const samples = (folder: string): string[] =>
  existsSync(join(shared, folder)) ? readdirSync(join(shared, folder)).map((name) => join(folder, name)) : []
const REJECTED = /bomb_20000|empty|html|photo\.tif|random|svg|truncated/

const blank = (width: number, height: number) =>
  sharp({ create: { width, height, channels: 4, background: { r: 200, g: 0, b: 0, alpha: 0 } } })
const prepared = async (bytes: Uint8Array) => {
  const made = await preparePicture(bytes)
  if (!(made instanceof Uint8Array)) throw new Error(made.detail)
  return { bytes: made, metadata: await sharp(made).metadata() }
}

describe('preparing a picture', () => {
  test('turns it upright, flattens it on white and leaves its metadata behind', async () => {
    const source = await blank(40, 20).webp().withMetadata({ orientation: 6 }).toBuffer()
    const { bytes, metadata } = await prepared(source)
    expect(metadata).toMatchObject({ format: 'jpeg', width: 20, height: 40, channels: 3, space: 'srgb' })
    expect([metadata.exif, metadata.icc, metadata.orientation]).toEqual([undefined, undefined, undefined])
    expect([...(await sharp(bytes).raw().toBuffer())].every((value) => value > 250)).toBe(true)
  })

  test.each([
    [3_000, 1_500, 1_024, 512],
    [1_500, 3_000, 512, 1_024],
    [300, 200, 300, 200],
  ])('brings %i x %i to %i x %i', async (width, height, widthMax, heightMax) => {
    const { metadata } = await prepared(await blank(width, height).png().toBuffer())
    expect([metadata.width, metadata.height]).toEqual([widthMax, heightMax])
  })

  test('brings colours of another profile to sRGB', async () => {
    const wide = { create: { width: 8, height: 8, channels: 3, background: { r: 220, g: 60, b: 60 } } } as const
    const source = await sharp(wide).withIccProfile('p3').png().toBuffer()
    // The same colour has other numbers in the wider space: left alone they would be read as a paler one.
    expect([...(await sharp(source).keepIccProfile().raw().toBuffer()).subarray(0, 3)]).not.toEqual([220, 60, 60])
    const { bytes, metadata } = await prepared(source)
    const [red = 0, green = 0, blue = 0] = await sharp(bytes).raw().toBuffer()
    expect(metadata.icc).toBeUndefined()
    expect(Math.max(Math.abs(red - 220), Math.abs(green - 60), Math.abs(blue - 60))).toBeLessThan(6)
  })

  test.each<[string, (picture: Sharp) => Sharp]>([
    ['grey', (picture) => picture.greyscale().jpeg()],
    ['CMYK', (picture) => picture.toColourspace('cmyk').jpeg()],
    ['16 bits', (picture) => picture.toColourspace('rgb16').png()],
    ['a palette', (picture) => picture.png({ palette: true })],
    ['AVIF', (picture) => picture.avif({ effort: 0 })],
    ['GIF', (picture) => picture.gif()],
    ['progressive JPEG', (picture) => picture.jpeg({ progressive: true })],
    ['interlaced PNG', (picture) => picture.png({ progressive: true })],
  ])('takes %s', async (_, as) => {
    const { metadata } = await prepared(await as(blank(90, 60).flatten()).toBuffer())
    expect(metadata).toMatchObject({
      format: 'jpeg',
      width: 90,
      height: 60,
      channels: 3,
      space: 'srgb',
      depth: 'uchar',
    })
  })

  test('takes the first frame of a moving picture', async () => {
    const frames = ['#ff0000', '#0000ff'].map((background) =>
      sharp({ create: { width: 20, height: 10, channels: 3, background } })
        .png()
        .toBuffer(),
    )
    const moving = await sharp(await Promise.all(frames), { join: { animated: true } })
      .webp({ lossless: true })
      .toBuffer()
    const { bytes, metadata } = await prepared(moving)
    expect([metadata.width, metadata.height]).toEqual([20, 10])
    const [red = 0, , blue = 255] = await sharp(bytes).raw().toBuffer()
    expect([red > 240, blue < 15]).toEqual([true, true])
  })

  test('gives the same bytes for the same input', async () => {
    const source = await blank(1_200, 900).png().toBuffer()
    expect(Buffer.compare((await prepared(source)).bytes, (await prepared(source)).bytes)).toBe(0)
  })

  test('rejects a bomb before it is unpacked', async () => {
    const header = await blank(10, 10).png().toBuffer()
    header.writeUInt32BE(20_000, 16)
    header.writeUInt32BE(20_000, 20)
    expect(await preparePicture(header)).toMatchObject({ code: 'input_rejected' })
  })

  test.each(['', '<svg xmlns="http://www.w3.org/2000/svg"/>', '\xff\xd8\xff but no more'])(
    'rejects %j',
    async (text) => {
      expect(await preparePicture(Buffer.from(text, 'latin1'))).toMatchObject({ code: 'input_rejected' })
    },
  )

  test('rejects a picture that was cut off', async () => {
    const whole = await sharp({
      create: {
        width: 600,
        height: 600,
        channels: 3,
        background: '#123',
        noise: { type: 'gaussian', mean: 99, sigma: 40 },
      },
    })
      .jpeg()
      .toBuffer()
    expect(await preparePicture(whole.subarray(0, whole.length / 2))).toEqual({
      code: 'input_rejected',
      detail: 'the picture cannot be read: it ends too early',
    })
  })

  // Sample photos that lie beside the repository on some machines.
  test.each([...samples('body/odd'), ...samples('tryon')])('%s ends as it must', async (name) => {
    const made = await preparePicture(readFileSync(join(shared, name)))
    expect(made instanceof Uint8Array ? 'prepared' : made.code).toBe(
      REJECTED.test(name) ? 'input_rejected' : 'prepared',
    )
  })
})
