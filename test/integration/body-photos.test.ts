import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import sharp from 'sharp'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import type { BodyAnswer, BodyRefusal } from '../../src/body/answer.ts'
import { estimateBody } from '../../src/body/estimate.ts'
import type { Sight } from '../../src/body/sight.ts'
import type { PoseEngine } from '../../src/machines/ports/pose.ts'
import { allReady, estimated, networksAreHere, openPool, pixelsOf } from '../support/pose.ts'

const folder = join(import.meta.dirname, '../../../shared/data/body')
const girths = { stature: z.number(), chest: z.number(), waist: z.number(), hip: z.number() }
const Photo = z.object({
  file: z.string(),
  status: z.number(),
  reasons: z.array(z.string()).default([]),
  truth: z.object(girths).optional(),
})
type Photo = z.infer<typeof Photo>

/** What BlazePose full finds elsewhere: x, y, z, visibility of each point, px of the file; absent where it finds nobody. */
const Reference = z.object({
  file: z.string(),
  w: z.number(),
  h: z.number(),
  keypoints: z.array(z.array(z.number())).nullish(),
})
type Reference = z.infer<typeof Reference>

const isHere = networksAreHere && existsSync(folder)
const all = isHere ? z.array(Photo).parse(JSON.parse(readFileSync(join(folder, 'manifest.json'), 'utf8'))) : []
const references = isHere
  ? z.array(Reference).parse(JSON.parse(readFileSync(join(folder, 'landmarks-blazepose-full.json'), 'utf8')))
  : []
const photos = all.filter(({ file }) => file.startsWith('photos/'))
const rendered = all.flatMap(({ truth, ...photo }) => (truth ? [{ ...photo, truth }] : []))
/** Nobody knows how tall the people in the photos are. */
const HEIGHT_CM = 175

/** All photos wait at once, and a busy machine is no fault of ours. */
const PATIENCE_MS = 240_000

/** 5 % of the photos. */
const WRONG_MAX = Math.floor(photos.length * 0.05)
/** `ALL_PHOTOS=1` copies every photo: each is looked at three more times. */
const COPIED_MAX = process.env['ALL_PHOTOS'] ? Infinity : 12
/** Sizes have edges, and no two copies are quite alike: with one height each, a few photos that lie near one would decide. */
const SAME_SIZE_MIN = 0.95
const HEIGHTS_CM = [155, 160, 165, 170, 175, 180, 185, 190, 195]

const read = ({ file }: Pick<Photo, 'file'>): Buffer => readFileSync(join(folder, file))
const sizeOf = (outcome: BodyAnswer | BodyRefusal) => ('reasons' in outcome ? null : outcome.recommended_size)
const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length

/** The same photo as somebody else may send it. */
const COPIES: readonly ((bytes: Buffer) => Promise<Buffer>)[] = [
  (bytes) => sharp(bytes).flop().png().toBuffer(),
  async (bytes) => {
    const { width } = await sharp(bytes).metadata()
    return sharp(bytes)
      .resize(Math.round(width / 2))
      .png()
      .toBuffer()
  },
  (bytes) => sharp(bytes).flatten({ background: 'white' }).jpeg({ quality: 30 }).toBuffer(),
]

describe.skipIf(!isHere)('the body estimate from pixels', { timeout: PATIENCE_MS }, () => {
  let pool: PoseEngine
  beforeAll(async () => {
    pool = openPool({ workers: 2, waitingMax: 200, deadlineMs: PATIENCE_MS })
    await allReady(pool)
  })
  afterAll(() => pool.close())

  const look = async (bytes: Buffer): Promise<Sight> => {
    const picture = await pixelsOf(bytes)
    const { body, people } = await estimated(pool, picture)
    return { width: picture.width, height: picture.height, body, people }
  }
  const looked = new Map<string, Promise<Sight>>()
  const original = (photo: Pick<Photo, 'file'>): Promise<Sight> => {
    const sight = looked.get(photo.file) ?? look(read(photo))
    looked.set(photo.file, sight)
    return sight
  }

  it('puts points where the reference has them, within 1 % of the photo', async () => {
    const known = references.filter(({ keypoints }) => keypoints)
    expect(known.length).toBeGreaterThan(15)
    const distances = await Promise.all(
      known.map(async (one) => ({ file: one.file, share: distanceTo(one, await original(one)) })),
    )
    expect(distances.filter(({ share }) => !(share <= 0.01))).toEqual([])
  })

  it('accepts and refuses the photos of the manifest, for a reason of theirs', async () => {
    const wrong = await Promise.all(
      photos.map(async (photo) => {
        const outcome = estimateBody(await original(photo), { height_cm: HEIGHT_CM })
        const main = 'reasons' in outcome ? outcome.reasons[0]?.code : undefined
        const isRight = photo.status === 200 ? main === undefined : photo.reasons.includes(main ?? '')
        return isRight ? [] : [`${photo.file}: ${main ?? 'accepted'}`]
      }),
    )
    expect(wrong.flat().slice(WRONG_MAX)).toEqual([])
  })

  it('finds the girths of rendered bodies that nothing was fitted on, whether their sex is told or not', async () => {
    const seen = await Promise.all(rendered.map(async (photo) => ({ ...photo, sight: await original(photo) })))
    for (const isTold of [false, true]) {
      const errors = seen.map(({ file, truth, sight }) => {
        const sex = file.includes('female') ? ('female' as const) : ('male' as const)
        const outcome = estimateBody(sight, { height_cm: truth.stature, ...(isTold && { sex }) })
        if ('reasons' in outcome) throw new Error(`${file}: ${outcome.detail}`)
        const { chest_cm, waist_cm, hip_cm } = outcome.measurements
        return [chest_cm - truth.chest, waist_cm - truth.waist, hip_cm - truth.hip].map(Math.abs)
      })
      const [chest, waist, hip] = [0, 1, 2].map((i) => mean(errors.map((error) => error[i] ?? Number.NaN)))
      expect(chest).toBeLessThanOrEqual(2.8)
      expect(waist).toBeLessThanOrEqual(2.6)
      expect(hip).toBeLessThanOrEqual(1.7)
    }
  })

  it('nearly always finds the same size in a copy that is mirrored, half as large or compressed', async () => {
    const accepted = [...photos.filter(({ status }) => status === 200), ...rendered].slice(0, COPIED_MAX)
    const pairs = await Promise.all(
      accepted.map(async (photo) => {
        const sight = await original(photo)
        const copies = await Promise.all(COPIES.map(async (copy) => look(await copy(read(photo)))))
        return copies.map((other) => ({ sight, other }))
      }),
    )
    const same = HEIGHTS_CM.flatMap((height_cm) =>
      pairs
        .flat()
        .map(({ sight, other }) =>
          Number(sizeOf(estimateBody(sight, { height_cm })) === sizeOf(estimateBody(other, { height_cm }))),
        ),
    )
    expect(mean(same)).toBeGreaterThanOrEqual(SAME_SIZE_MIN)
  })
})

/** The largest distance of a point from its reference, as a share of the picture's longer side. */
const distanceTo = ({ w, h, keypoints }: Reference, { width, body }: Sight): number => {
  const scale = w / width
  const distances = (keypoints ?? []).map(([x = 0, y = 0], index) => {
    const { x: ourX, y: ourY } = body?.landmarks[index] ?? { x: Number.NaN, y: Number.NaN }
    return Math.hypot(ourX * scale - x, ourY * scale - y) / Math.max(w, h)
  })
  return Math.max(...distances)
}
