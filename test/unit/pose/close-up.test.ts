import { describe, expect, it } from 'vitest'
import { LANDMARK_SIZE, type MaskedBody } from '../../../src/adapters/pose/engine/blaze-pose.ts'
import { closeUpOf } from '../../../src/adapters/pose/engine/close-up.ts'
import { drawFigure } from '../../../src/adapters/pose/engine/figure.ts'
import { mirrored } from '../../../src/adapters/pose/engine/mirror.ts'
import { cropped, placed, type Region } from '../../../src/adapters/pose/engine/region.ts'
import { averaged } from '../../../src/adapters/pose/engine/shrink.ts'
import type { RgbPicture } from '../../../src/machines/ports/pose.ts'

/** A picture whose colours grow to the right and downwards, so that no two places are alike. */
const slope = (width: number, height: number): RgbPicture => {
  const rgb = new Uint8Array(width * height * 3)
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++)
      rgb.set([((x + 0.5) / width) * 200, ((y + 0.5) / height) * 200, 100], (y * width + x) * 3)
  return { rgb, width, height }
}
const flipped = ({ rgb, width, height }: RgbPicture): RgbPicture => {
  const pixels = Array.from({ length: width * height }, (_, at) => at - (at % width) + (width - 1 - (at % width)))
  return { rgb: Uint8Array.from(pixels.flatMap((at) => [...rgb.subarray(at * 3, at * 3 + 3)])), width, height }
}
const most = (values: Float32Array, other: Float32Array) =>
  values.reduce((largest, value, at) => Math.max(largest, Math.abs(value - (other[at] ?? Number.NaN))), 0)

describe('a region', () => {
  it('of a whole picture is the picture', () => {
    const picture = slope(20, 20)
    expect(cropped(picture, { x: 10, y: 10, side: 20, rotation: 0 }, 20)).toEqual(Float32Array.from(picture.rgb))
  })

  it('is turned about its middle, and black beyond the picture', () => {
    const turned = cropped(slope(20, 20), { x: 10, y: 10, side: 20, rotation: Math.PI / 2 }, 20)
    const [right, down] = [
      turned.subarray((20 + 19) * 3, (20 + 19) * 3 + 2),
      turned.subarray(19 * 20 * 3, 19 * 20 * 3 + 2),
    ]
    expect(right[1]).toBeGreaterThan(180)
    expect(down[0]).toBeLessThan(20)
    expect(placed({ x: 10, y: 10, side: 20, rotation: Math.PI / 2 }, 1, 0.5)).toEqual({ x: 10, y: 20 })
    expect(cropped(slope(20, 20), { x: 100, y: 10, side: 20, rotation: 0 }, 4)).toEqual(new Float32Array(48))
  })

  it('shrinks to means, which a copy of half the size shares', () => {
    const [large, small] = [slope(400, 300), slope(200, 150)]
    const of = (picture: RgbPicture, times: number) =>
      averaged(picture, { x: 210 * times, y: 140 * times, side: 330 * times, rotation: 0 }, 32)
    expect(most(of(large, 1), of(small, 0.5))).toBeLessThan(3)
    const middle = of(large, 1).subarray((16 * 32 + 16) * 3)
    expect(middle[0]).toBeCloseTo(((210 + 5) / 400) * 200, -1)
    expect(middle[1]).toBeCloseTo(((140 + 5) / 300) * 200, -1)
  })

  it('grows without steps when it is smaller than its pixels', () => {
    const line = averaged(slope(40, 40), { x: 20, y: 20, side: 10, rotation: 0 }, 40).filter((_, at) => at % 3 === 0)
    const steps = line.subarray(1, 40).map((value, at) => value - (line[at] ?? 0))
    expect(Math.max(...steps)).toBeLessThan(2)
    expect(Math.min(...steps)).toBeGreaterThan(0)
  })
})

describe('a close-up', () => {
  const points = Array.from({ length: 33 }, (_, index) => ({ x: index / 100, y: 0.5, z: 0, score: 0.9 }))
  const asked: Float32Array[] = []
  const network = {
    lookClosely: async (crop: Float32Array): Promise<MaskedBody> => {
      asked.push(crop)
      return { score: 1, points, world: points, mask: new Float32Array(LANDMARK_SIZE ** 2).fill(1) }
    },
  }
  const figure = drawFigure()
  const standing: Region = { x: 66, y: 98, side: 190, rotation: 0.02 }
  const look = async (picture: RgbPicture, region: Region) => {
    asked.length = 0
    const closeUp = await closeUpOf(network, picture, region)
    return { closeUp, crop: asked[0] ?? new Float32Array() }
  }

  it('shows the network the same pixels of a picture and of its mirror image, and turns its answer back', async () => {
    const lit = { ...figure, rgb: figure.rgb.map((value, at) => ((at / 3) % figure.width > 90 ? 255 : value)) }
    const [one, other] = [
      await look(lit, standing),
      await look(flipped(lit), { ...standing, x: figure.width - standing.x }),
    ]
    expect(most(one.crop, other.crop)).toBeLessThan(0.01)
    const [left, right] = [one.closeUp?.landmarks[11]?.x ?? 0, other.closeUp?.landmarks[12]?.x ?? 0]
    expect(left + right).toBeCloseTo(LANDMARK_SIZE)
    expect(left).not.toBeCloseTo(right)
  })

  it('shows the same pixels where the person was seen a little elsewhere', async () => {
    const one = await look(figure, standing)
    const other = await look(figure, { x: 68, y: 94, side: 193, rotation: -0.02 })
    expect(most(other.crop, one.crop)).toBe(0)
    expect(most((await look(figure, { ...standing, x: 90 })).crop, one.crop)).toBeGreaterThan(0)
  })

  it('says where it lies in the photo', async () => {
    const { closeUp } = await look(figure, standing)
    const { left = 0, top = 0, scale = 0, side = 0 } = closeUp ?? {}
    expect(side).toBe(LANDMARK_SIZE)
    expect(left + (scale * side) / 2).toBeCloseTo(standing.x, -2)
    expect(top + (scale * side) / 2).toBeCloseTo(standing.y, -2)
    expect(scale * side).toBeGreaterThan(standing.side * 0.85)
  })

  it('is none when nobody is seen again', async () => {
    expect(await closeUpOf({ lookClosely: async () => null }, figure, standing)).toBeNull()
  })
})

describe('a mirror image', () => {
  it('has its columns exchanged, and of itself is the picture', () => {
    const picture = Float32Array.from({ length: 48 }, (_, at) => at)
    expect([...mirrored(picture, 4, 3).subarray(0, 6)]).toEqual([9, 10, 11, 6, 7, 8])
    expect(mirrored(mirrored(picture, 4, 3), 4, 3)).toEqual(picture)
  })
})
