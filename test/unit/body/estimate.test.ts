import { describe, expect, it } from 'vitest'
import { BodyAnswer, BodyRefusal } from '../../../src/body/answer.ts'
import { estimateBody, type Stated } from '../../../src/body/estimate.ts'
import { BodyRequest } from '../../../src/body/request.ts'
import type { Sight } from '../../../src/body/sight.ts'
import { type Drawing, drawn } from './drawn-body.ts'

const ASKED = { image_url: 'https://example.com/me.jpg', height_cm: 178 }
const answer = (drawing: Drawing, stated: Partial<Stated> = {}, side?: Sight): BodyAnswer =>
  BodyAnswer.parse(estimateBody(drawn(drawing), { height_cm: 178, ...stated }, side))
const codes = ({ warnings }: BodyAnswer) => warnings.map(({ code }) => code)

describe('a request', () => {
  it('needs two fields, as today, and refuses what it does not know', () => {
    expect(BodyRequest.safeParse(ASKED).success).toBe(true)
    expect(BodyRequest.safeParse({ ...ASKED, hight_cm: 178 }).success).toBe(false)
    expect(BodyRequest.safeParse({ image_url: ASKED.image_url }).success).toBe(false)
  })

  it.each([
    { height_cm: 99 },
    { height_cm: 251 },
    { height_cm: '178' },
    { image_url: 'ftp://example.com/me.jpg' },
    { image_url: 'me.jpg' },
    { weight_kg: 0 },
    { sex: 'x' },
    { chart: 'us' },
  ])('refuses %j', (wrong) => {
    expect(BodyRequest.safeParse({ ...ASKED, ...wrong }).success).toBe(false)
  })
})

describe('an answer', () => {
  it('holds today’s fields, with measurements under no other keys', () => {
    const { recommended_size, measurements, confidence, size_probabilities, body_type } = answer({})
    expect(Object.keys(measurements)).toEqual(['chest_cm', 'waist_cm', 'hip_cm', 'shoulder_cm', 'inseam_cm'])
    expect(confidence).toBe(size_probabilities[recommended_size])
    expect(confidence).toBe(Math.max(...Object.values(size_probabilities)))
    expect(['athletic', 'slim', 'average', 'broad']).toContain(body_type)
  })

  it('says what it rests on', () => {
    expect(answer({}).basis).toMatchObject({
      inputs: ['height', 'landmarks', 'front_widths'],
      chart: 'unisex',
      fit: 'regular',
    })
    const told = answer({}, { weight_kg: 75, sex: 'male', age: 30 })
    expect(told.basis.inputs).toEqual(['height', 'landmarks', 'front_widths', 'weight', 'age', 'sex'])
    expect(told.basis.chart).toBe('eu_men')
    expect(answer({}, { sex: 'female' }).basis.chart).toBe('eu_women')
    expect(answer({}, { sex: 'female', chart: 'wearon_v1' }).basis.chart).toBe('wearon_v1')
  })

  it('is the same each time', () => {
    expect(answer({}, { weight_kg: 75 })).toEqual(answer({}, { weight_kg: 75 }))
  })

  it('grows with the widths of the mask', () => {
    const chest = (half: number) => answer({ halfWidths: [half, half - 0.01, half + 0.01] }).measurements.chest_cm
    expect(chest(0.1)).toBeGreaterThan(chest(0.09) + 3)
  })

  it('surrounds each measurement with its interval, narrower when weight is known', () => {
    const width = ({ intervals }: BodyAnswer) => intervals.chest_cm.upper - intervals.chest_cm.lower
    const [bare, weighed] = [answer({}), answer({}, { weight_kg: 72 })]
    expect(bare.intervals.chest_cm.lower).toBeLessThan(bare.measurements.chest_cm)
    expect(bare.intervals.chest_cm.upper).toBeGreaterThan(bare.measurements.chest_cm)
    expect(width(weighed)).toBeLessThan(width(bare))
  })

  it('goes by landmarks alone when arms hide the trunk, less surely, and says so', () => {
    const hidden = answer({ hands: 0.1 })
    expect(codes(hidden)).toEqual(['arms_close_to_body'])
    expect(hidden.basis.inputs).toEqual(['height', 'landmarks'])
    expect(hidden.intervals.chest_cm.upper - hidden.intervals.chest_cm.lower).toBeGreaterThan(15)
  })

  it('warns of a turned body and of a camera that looks down', () => {
    expect(codes(answer({ yaw: 25 }))).toEqual(['slightly_turned'])
    expect(codes(answer({ legs: 0.65 }))).toEqual(['camera_not_level'])
  })

  it('takes wide clothes for no body when the weight contradicts them', () => {
    const wide: Drawing = { halfWidths: [0.115, 0.115, 0.13], hands: 0.24 }
    const robed = answer(wide, { weight_kg: 60 })
    expect(codes(robed)).toContain('loose_clothes')
    expect(robed.basis.inputs).not.toContain('front_widths')
    expect(robed.measurements.waist_cm).toBeLessThan(answer(wide).measurements.waist_cm)
  })

  it('does without a weight that the body contradicts, such as one in pounds', () => {
    const mistyped = answer({}, { weight_kg: 165 })
    expect(codes(mistyped)).toContain('weight_disagrees')
    expect(mistyped.measurements).toEqual(answer({}).measurements)
  })

  it('uses a photo from the side, and goes on without one that will not do', () => {
    const side = drawn({ yaw: 90, halfWidths: [0.07, 0.06, 0.07] })
    expect(answer({}, {}, side).basis.inputs).toContain('side_depths')
    const front = answer({}, {}, drawn({}))
    expect(codes(front)).toEqual(['side_photo_not_used'])
    expect(front.basis.inputs).not.toContain('side_depths')
  })

  it('is less sure of builds that few people of the data have', () => {
    expect(codes(answer({ halfWidths: [0.115, 0.115, 0.13], hands: 0.24 }, { weight_kg: 130 }))).toContain(
      'unusual_build',
    )
  })
})

describe('a refusal', () => {
  it('carries a sentence and every reason with its hint', () => {
    const { detail, reasons } = BodyRefusal.parse(estimateBody(drawn({ knees: 60, yaw: 60 }), { height_cm: 178 }))
    expect(reasons.map(({ code }) => code)).toEqual(['not_standing', 'turned'])
    expect(detail).toBe(reasons[0]?.hint)
  })

  it('is given to a body that is not found again in its close-up', () => {
    const { body, ...sight } = drawn()
    const refused = BodyRefusal.parse(estimateBody({ ...sight, body: { ...body, closeUp: null } }, { height_cm: 178 }))
    expect(refused.reasons.map(({ code }) => code)).toEqual(['no_person'])
  })

  it('is given to bodies that nobody has', () => {
    const { body, ...sight } = drawn()
    const landmarks = body.closeUp.landmarks.map((point, i) => (i === 11 ? { ...point, x: point.x + 150 } : point))
    const strange = { ...body, closeUp: { ...body.closeUp, landmarks } }
    const refused = BodyRefusal.parse(estimateBody({ ...sight, body: strange }, { height_cm: 178 }))
    expect(refused.reasons.map(({ code }) => code)).toEqual(['implausible'])
  })
})
