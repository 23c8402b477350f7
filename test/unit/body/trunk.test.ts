import { describe, expect, it } from 'vitest'
import { postureOf } from '../../../src/body/posture.ts'
import { scaleOf } from '../../../src/body/scale.ts'
import { depthsSeen, lengthsSeen, widthsSeen } from '../../../src/body/seen.ts'
import { type Drawing, drawn } from './drawn-body.ts'

const HEIGHT_CM = 180
const seenIn = (drawing: Drawing) => {
  const { closeUp } = drawn(drawing).body
  const [posture, scale] = [postureOf(closeUp), scaleOf(closeUp, HEIGHT_CM)]
  return {
    posture,
    scale,
    lengths: lengthsSeen(closeUp, scale, posture),
    widths: widthsSeen(closeUp, scale, posture),
    depths: depthsSeen(closeUp, scale),
  }
}

describe('a body’s scale', () => {
  it('comes from the stated height: eyes to heels are stature / 1.07', () => {
    const { scale, posture } = seenIn({})
    expect(posture.eyesToHeelsPx).toBeCloseTo(934.6, 0)
    expect(scale.slope).toBe(0)
    expect(scale.at(0.1)).toBeCloseTo(1_000 / HEIGHT_CM, 2)
    expect(scale.at(0.9)).toBeCloseTo(1_000 / HEIGHT_CM, 2)
  })

  it('does not depend on how large the picture shows the body', () => {
    const [large, small] = [seenIn({}), seenIn({ size: 0.6 })]
    expect(small.lengths.shoulder).toBeCloseTo(large.lengths.shoulder, 1)
    expect(small.widths?.chest).toBeCloseTo(large.widths?.chest ?? 0, 0)
  })

  it('is larger at the head than at the feet when a camera that looks down shortens the legs', () => {
    const { scale, lengths } = seenIn({ legs: 0.7 })
    expect(scale.slope).toBeGreaterThan(0.3)
    expect(scale.at(0.8)).toBeGreaterThan(1.1 * scale.at(0.1))
    const uncorrected = (0.2 * HEIGHT_CM * 0.9346) / (0.9346 - 0.3 * 0.52)
    expect(lengths.shoulder).toBeLessThan(uncorrected)
    expect(lengths.shoulder).toBeGreaterThan(0.19 * HEIGHT_CM)
  })
})

describe('lengths and widths', () => {
  it('are those that were drawn, in cm', () => {
    const { lengths, widths } = seenIn({ halfWidths: [0.09, 0.08, 0.1] })
    expect(lengths.shoulder).toBeCloseTo(0.2 * HEIGHT_CM, 0)
    expect(lengths.thigh).toBeCloseTo(0.242 * HEIGHT_CM, 0)
    expect(lengths.shank).toBeCloseTo(0.233 * HEIGHT_CM, 0)
    expect(widths?.chest).toBeCloseTo(0.18 * HEIGHT_CM, 0)
    expect(widths?.waist).toBeCloseTo(0.16 * HEIGHT_CM, 0)
    expect(widths?.hip).toBeCloseTo(0.2 * HEIGHT_CM, 0)
  })

  it('take the waist where the trunk is narrowest, and the hip where it is widest', () => {
    const { widths } = seenIn({ halfWidths: [0.09, 0.06, 0.115] })
    expect(widths?.waist).toBeCloseTo(0.12 * HEIGHT_CM, 0)
    expect(widths?.hip).toBeCloseTo(0.23 * HEIGHT_CM, 0)
  })

  it('leave the widths out when an arm lies against the body', () => {
    expect(seenIn({ hands: 0.1 }).widths).toBeNull()
    expect(seenIn({ hands: 0.1 }).depths).not.toBeNull()
  })

  it('make up for a body that is turned a little, and are not misled by a few degrees of noise', () => {
    expect(seenIn({ yaw: 30 }).lengths.shoulder).toBeCloseTo(0.2 * HEIGHT_CM, 0)
    expect(seenIn({ yaw: 9 }).lengths.shoulder).toBeLessThan(0.2 * HEIGHT_CM)
    expect(seenIn({ yaw: 30 }).lengths.shank).toBeCloseTo(seenIn({}).lengths.shank, 0)
  })
})
