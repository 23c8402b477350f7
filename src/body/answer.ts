import { z } from 'zod'
import { BODY_TYPES } from './body-type.ts'
import { CHARTS, EASE_CM, SIZES } from './charts.ts'
import { REASONS, Reason, Warning } from './reasons.ts'

const Size = z.enum(SIZES)
const Cm = z.number().positive()
const Probability = z.number().min(0).max(1)
const Interval = z.strictObject({ lower: Cm, upper: Cm })

/** The 200 of `POST /estimate-body`: the first five fields are what old clients read (CONTRACT section 6). */
export const BodyAnswer = z.strictObject({
  recommended_size: Size,
  measurements: z.strictObject({ chest_cm: Cm, waist_cm: Cm, hip_cm: Cm, shoulder_cm: Cm, inseam_cm: Cm }),
  /** Probability that the recommended size is the one that a tape would have given. */
  confidence: Probability,
  body_type: z.enum(BODY_TYPES),
  /** The sizes that hold the middle 80 % of the probability. */
  size_range: z.strictObject({ lower: Size, upper: Size }),
  basis: z.strictObject({
    method: z.literal(
      'regression on ANSUR II, checked on held-out people and rendered bodies, never with a tape measure',
    ),
    /** What the estimate rests on. */
    inputs: z.array(z.enum(['height', 'landmarks', 'front_widths', 'side_depths', 'weight', 'age', 'sex'])),
    chart: z.enum(Object.keys(CHARTS) as [keyof typeof CHARTS]),
    fit: z.enum(Object.keys(EASE_CM) as [keyof typeof EASE_CM]),
  }),
  /** 80 % of people like this lie within. */
  intervals: z.strictObject({
    chest_cm: Interval,
    waist_cm: Interval,
    hip_cm: Interval,
    shoulder_cm: Interval,
    inseam_cm: Interval,
  }),
  size_probabilities: z.strictObject({
    XS: Probability,
    S: Probability,
    M: Probability,
    L: Probability,
    XL: Probability,
    XXL: Probability,
  }),
  /** The next likely size; null when no other has a chance of 1 in 20. */
  second_size: Size.nullable(),
  warnings: z.array(z.strictObject({ code: Warning, hint: z.string() })),
  quality: z.strictObject({
    /** px from the eyes to the heels. */
    body_height_px: z.number().positive(),
    /** Degrees: 0 faces the camera. */
    yaw_deg: z.number(),
    tilt_deg: z.number(),
    /** By how much the scale grows from the feet to the head: 0 for a level camera. */
    perspective: z.number().min(0),
  }),
})
export type BodyAnswer = z.infer<typeof BodyAnswer>

/** The 422 of `POST /estimate-body`: why the photo will not do, the main reason first. */
export const BodyRefusal = z.strictObject({
  detail: z.string(),
  reasons: z.array(z.strictObject({ code: Reason, hint: z.string() })).min(1),
})
export type BodyRefusal = z.infer<typeof BodyRefusal>

export function refusal(reasons: readonly [Reason, ...Reason[]]): BodyRefusal {
  return { detail: REASONS[reasons[0]], reasons: reasons.map((code) => ({ code, hint: REASONS[code] })) }
}
