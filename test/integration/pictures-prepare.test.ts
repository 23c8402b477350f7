import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import sharp from 'sharp'
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
