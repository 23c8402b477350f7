import { z } from 'zod'
import { BodyAnswer } from '../body/answer.ts'
import { BodyRequest } from '../body/request.ts'
import { drawOver } from '../pictures/draw-over.ts'
import { type Access, ofTenant, open } from './access.ts'
import { type AskedBody, BodyDesk, type Looked } from './estimate-body-desk.ts'
import { overlaySvg } from './estimate-body-overlay.ts'
import type { HttpParts } from './parts.ts'
import { Problem } from './problem.ts'
import { type Answer, type Route, route } from './route.ts'

/** By then an estimate has ended itself, but for a decoder, which cannot be stopped: its caller need not wait for it. */
const SPARE_MS = 200

const Overlay = z.enum(['0', '1']).optional()
const { height_cm: Height, weight_kg: Weight, age: Age, sex, chart, fit } = BodyRequest.shape
const inDigits = (number: z.ZodType<number, number>) =>
  z
    .string()
    .regex(/^\d{1,3}(?:\.\d{1,3})?$/, 'is not a number')
    .transform(Number)
    .pipe(number)

/** What is said of the body whose photo is the request's body. */
const UploadQuery = z.strictObject({
  height_cm: inDigits(Height),
  weight_kg: inDigits(Weight.unwrap()).optional(),
  age: inDigits(Age.unwrap()).optional(),
  sex,
  chart,
  fit,
  overlay: Overlay,
})

/** CONTRACT section 6: the callers of the first have no key. The same below `/v1` for clients that have one. */
export const estimateBodyRoutes = (parts: HttpParts): Route[] => {
  const { bodies } = parts
  const look = lookFor(parts)
  const one = {
    method: 'post',
    title: 'A size and measurements from a photo and a height.',
    answer: BodyAnswer,
    ...(bodies && { timeoutMs: bodies.deadlineMs + SPARE_MS }),
  } as const
  const byAddress = (path: string, access: Access): Route =>
    route({
      ...one,
      path,
      access,
      query: z.strictObject({ overlay: Overlay }),
      json: BodyRequest,
      handle: ({ requestId, query, json: { image_url: front, side_image_url: side, ...stated } }) =>
        look({ stated, front, side }, query.overlay, requestId),
    })
  return [
    byAddress('/estimate-body', open),
    byAddress('/v1/estimate-body', ofTenant('estimate')),
    route({
      ...one,
      title: 'The same from the bytes of a photo, which are not kept.',
      path: '/v1/estimate-body/photo',
      access: ofTenant('estimate'),
      query: UploadQuery,
      body: 'picture',
      handle: ({ requestId, query: { overlay, ...stated }, body }) => look({ stated, front: body }, overlay, requestId),
    }),
  ]
}

type Look = (asked: AskedBody, overlay: '0' | '1' | undefined, requestId: string) => Promise<Answer>

/** All routes share one desk: its places are those of the process. */
const lookFor = ({ bodies, env }: HttpParts): Look => {
  const desk = bodies && new BodyDesk(bodies, env)
  return async (asked, overlay, requestId) => {
    const wantsOverlay = overlay === '1'
    if (desk === null) throw new Problem('model_off')
    if (wantsOverlay && bodies?.overlay !== true) throw overlayIsOff()
    const looked = await desk.estimate(asked, requestId)
    return wantsOverlay ? drawn(looked) : answerOf(looked)
  }
}

const overlayIsOff = (): Problem =>
  new Problem('invalid_request', { faults: [{ detail: 'overlay: is turned off here; POSE_OVERLAY=1 turns it on' }] })

/** @throws Problem `no_usable_pose`, which says what a person can do about the photo. */
const answerOf = ({ outcome }: Looked): Answer => {
  if ('reasons' in outcome) throw new Problem('no_usable_pose', { members: outcome })
  return { status: 200, body: outcome }
}

/** The photo with what was seen in it, under the status that the answer would have had. */
const drawn = async ({ front, outcome }: Looked): Promise<Answer> => ({
  status: 'reasons' in outcome ? 422 : 200,
  headers: { 'Content-Type': 'image/jpeg' },
  body: await drawOver(front.photo, overlaySvg(front, outcome)),
})
