import { z } from 'zod'
import { BodyAnswer } from '../body/answer.ts'
import { BodyRequest } from '../body/request.ts'
import { drawOver } from '../pictures/draw-over.ts'
import { open } from './access.ts'
import { BodyDesk, type Looked } from './estimate-body-desk.ts'
import { overlaySvg } from './estimate-body-overlay.ts'
import type { HttpParts } from './parts.ts'
import { Problem } from './problem.ts'
import { type Answer, type Route, route } from './route.ts'

/** By then an estimate has ended itself, but for a decoder, which cannot be stopped: its caller need not wait for it. */
const SPARE_MS = 200

/** CONTRACT section 6: its callers have no key. */
export const estimateBodyRoutes = ({ bodies, env }: HttpParts): Route[] => {
  const desk = bodies && new BodyDesk(bodies, env)
  return [
    route({
      method: 'post',
      path: '/estimate-body',
      title: 'A size and measurements from a photo and a height.',
      access: open,
      query: z.strictObject({ overlay: z.enum(['0', '1']).optional() }),
      json: BodyRequest,
      answer: BodyAnswer,
      ...(bodies && { timeoutMs: bodies.deadlineMs + SPARE_MS }),
      handle: async ({ requestId, query, json }) => {
        const wantsOverlay = query.overlay === '1'
        if (desk === null) throw new Problem('model_off')
        if (wantsOverlay && bodies?.overlay !== true) throw overlayIsOff()
        const looked = await desk.estimate(json, requestId)
        return wantsOverlay ? drawn(looked) : answerOf(looked)
      },
    }),
  ]
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
