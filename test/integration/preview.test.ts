import { createHash } from 'node:crypto'
import sharp from 'sharp'
import { describe, expect, test } from 'vitest'
import { previewGenerator } from '../../src/adapters/preview/generator.ts'
import { SessionId } from '../../src/events/ids.ts'
import { drawGarment, drawPerson } from '../../src/pictures/draw.ts'
import { generatorContract } from '../contracts/generator.ts'

const sessionId = SessionId.parse('11111111-1111-4111-8111-111111111111')
const { signal } = new AbortController()
const make = async (pictures: readonly Uint8Array[]) => {
  const made = await previewGenerator().generate({ sessionId, pictures, prompt: '' }, signal)
  if ('code' in made) throw new Error(made.detail)
  return made
}
const colourAt = async (bytes: Uint8Array, left: number, top: number) => [
  ...(await sharp(bytes).extract({ left, top, width: 1, height: 1 }).raw().toBuffer()),
]

generatorContract('preview', async () => ({
  generator: previewGenerator(),
  pictures: [await drawPerson(1), await drawGarment(2), await drawGarment(3)],
}))

describe('preview', () => {
  test('is a portrait of the real size without metadata, free of charge, and the same at every try', async () => {
    const pictures = [await drawPerson(1), await drawGarment(2)]
    const made = await make(pictures)
    const metadata = await sharp(made.bytes).metadata()
    expect(metadata).toMatchObject({ format: 'jpeg', width: 1_024, height: 1_536, channels: 3 })
    expect([metadata.exif, metadata.icc, metadata.xmp]).toEqual([undefined, undefined, undefined])
    expect(made.usage).toEqual({ inputTokens: 0, outputTokens: 0, costUsd: 0, byKind: null })
    expect(made.provenance.inputs).toEqual(pictures.map((each) => createHash('sha256').update(each).digest('hex')))
    expect(Buffer.compare((await make(pictures)).bytes, made.bytes)).toBe(0)
  })

  test('lays the garment over the chest and takes its plain background away', async () => {
    const plain = Buffer.from(
      '<svg width="400" height="400"><rect width="400" height="400" fill="#fff"/><rect x="60" y="60" width="280" height="280" fill="#0000ff"/></svg>',
    )
    const { bytes } = await make([await drawPerson(0), await sharp(plain).jpeg().toBuffer()])
    const [red = 255, , blue = 0] = await colourAt(bytes, 470, 520)
    expect(blue - red).toBeGreaterThan(80)
    const [wallRed = 0] = await colourAt(bytes, 60, 700)
    expect(wallRed).toBeLessThan(250)
  })

  test.each([1, 3, 10])('takes %i pictures', async (count) => {
    const pictures = await Promise.all(Array.from({ length: count }, (_, seed) => drawGarment(seed)))
    expect((await make(pictures)).provenance.inputs).toHaveLength(count)
  })

  const blank = (width: number, height: number) =>
    sharp({ create: { width, height, channels: 3, background: '#777' } })
      .png()
      .toBuffer()

  test.each([
    [1, 1],
    [400, 50],
    [50, 400],
  ])('takes %i x %i pixels for a person and for a garment', async (width, height) => {
    const odd = await blank(width, height)
    expect((await make([odd, odd, odd])).bytes.length).toBeGreaterThan(1_000)
  })

  test.each([
    [3_000, 1],
    [1, 3_000],
  ])('rejects a sliver of %i x %i pixels', async (width, height) => {
    const pictures = [await drawPerson(1), await blank(width, height)]
    const answer = await previewGenerator().generate({ sessionId, pictures, prompt: '' }, signal)
    expect(answer).toEqual({ code: 'input_rejected', detail: 'picture 2: one side is more than 8 times the other' })
  })

  test('rejects a session without any picture', async () => {
    const answer = await previewGenerator().generate({ sessionId, pictures: [], prompt: '' }, signal)
    expect(answer).toMatchObject({ code: 'input_rejected' })
  })

  test('stops between two steps when it is aborted', async () => {
    const stop = new AbortController()
    const pictures = [await drawPerson(1), await drawGarment(1)]
    const making = previewGenerator().generate({ sessionId, pictures, prompt: '' }, stop.signal)
    stop.abort(new Error('the partition is lost'))
    await expect(making).rejects.toThrow('the partition is lost')
  })
})

describe('drawings', () => {
  test('are the same for the same seed and differ between seeds', async () => {
    for (const draw of [drawPerson, drawGarment]) {
      const drawn = await Promise.all([0, 0, 1, 2, 3, -1].map(draw))
      expect(new Set(drawn.map((bytes) => Buffer.from(bytes).toString('base64'))).size).toBe(5)
    }
  })
})
