import { createHash } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { PoseEngine, PoseEstimate, RgbPicture } from '../../src/machines/ports/pose.ts'
import { drawGarment, drawPerson } from '../../src/pictures/draw.ts'
import {
  allReady,
  engineOptions,
  estimated,
  nativeIsHere,
  networksAreHere,
  openPool,
  pixelsOf,
} from '../support/pose.ts'

const hashOf = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')

/** What was found, without the times; of the mask a hash, since comparing many numbers one by one takes seconds. */
const found = ({ body, people }: PoseEstimate) => ({
  body: body && { ...body, closeUp: body.closeUp && { ...body.closeUp, mask: hashOf(body.closeUp.mask) } },
  people,
})

const nothing = { side: 0, left: 0, top: 0, scale: 1, mask: new Uint8Array() }

describe.skipIf(!networksAreHere)('a pool of pose engines', () => {
  let pool: PoseEngine
  let person: RgbPicture
  beforeAll(async () => {
    pool = openPool({ workers: 2 })
    person = await pixelsOf(await drawPerson(0))
    await allReady(pool)
  })
  afterAll(() => pool.close())

  it('finds a drawn person: 33 points in the picture and in space, a mask, and the same person for MoveNet', async () => {
    const { body, people, timing } = await estimated(pool, person)
    const [nose, left, right] = [0, 11, 12].map((index) => body?.landmarks[index])
    expect(nose?.x).toBeCloseTo(400, -2)
    expect(left?.x).toBeGreaterThan(480)
    expect(right?.x).toBeLessThan(320)
    expect(body?.world).toHaveLength(33)
    const near = body?.closeUp ?? nothing
    const [chest, corner] = [
      [400, 450],
      [20, 20],
    ].map(
      ([x = 0, y = 0]) =>
        near.mask[Math.round((y - near.top) / near.scale) * near.side + Math.round((x - near.left) / near.scale)],
    )
    expect(chest).toBeGreaterThan(200)
    expect(corner).toBeLessThan(20)
    expect(people[0]?.keypoints[0]?.x).toBeCloseTo(400, -2)
    expect(timing.blazePoseMs).toBeGreaterThan(0)
  })

  it('puts the frame of a person around all that is seen of it', async () => {
    const { people } = await estimated(pool, person)
    const { keypoints = [], box } = people[0] ?? {}
    const columns = keypoints.map(({ x }) => x)
    const rows = keypoints.map(({ y }) => y)
    expect(box?.xMin).toBeLessThan(Math.min(...columns))
    expect(box?.xMax).toBeGreaterThan(Math.max(...columns))
    expect(box?.yMin).toBeLessThan(Math.min(...rows))
    expect(box?.yMax).toBeGreaterThan(Math.max(...rows))
  })

  it('finds nobody in a plain picture', async () => {
    const plain = { rgb: new Uint8Array(300 * 200 * 3).fill(120), width: 300, height: 200 }
    const { body, people } = await estimated(pool, plain)
    expect(body).toBeNull()
    expect(people.filter(({ score }) => score >= 0.25)).toEqual([])
  })

  it('gives the same answer for a picture to the last bit, whatever came before it and whichever engine looks', async () => {
    const others = await Promise.all([pixelsOf(await drawPerson(3)), pixelsOf(await drawGarment(1))])
    const small = { rgb: person.rgb.subarray(0, person.width * 600 * 3), width: person.width, height: 600 }
    const first = await estimated(pool, person)
    for (const other of [...others, small]) {
      const [, again] = await Promise.all([estimated(pool, other), estimated(pool, person)])
      expect(found(again)).toEqual(found(first))
    }
    const twice = await Promise.all([estimated(pool, person), estimated(pool, person)])
    for (const again of twice) expect(found(again)).toEqual(found(first))
  })

  it('refuses a picture whose bytes do not fit its size', async () => {
    await expect(estimated(pool, { ...person, height: person.height + 1 })).rejects.toThrow(RangeError)
    await expect(estimated(pool, { rgb: new Uint8Array(0), width: 0, height: 5 })).rejects.toThrow(RangeError)
  })

  it.skipIf(!nativeIsHere)('finds the same with the native engine, within a pixel', async () => {
    const native = openPool({ engine: { ...engineOptions, backend: 'node' } })
    try {
      await allReady(native)
      expect(native.status().backend).toBe('node')
      const [theirs, ours] = [await estimated(native, person), await estimated(pool, person)]
      const apart = ours.body?.landmarks.map(({ x, y }, index) => {
        const other = theirs.body?.landmarks[index]
        return Math.hypot(x - (other?.x ?? Number.NaN), y - (other?.y ?? Number.NaN))
      })
      expect(apart?.filter((px) => !(px < 1))).toEqual([])
    } finally {
      await native.close()
    }
  })
})
