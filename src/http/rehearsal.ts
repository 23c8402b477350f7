import { z } from 'zod'
import { GenerationTask } from '../events/task.ts'
import { readJson } from './body.ts'
import type { HttpParts, Rehearsal } from './parts.ts'
import { bodyFaults, Problem, reach } from './problem.ts'
import { type Answer, type Route, route } from './route.ts'

const EMAIL_MAX = 320

/** Who pays for a rehearsed session, beside the task's own fields. */
const Payment = z
  .object({
    charge: z.enum(['account', 'shopper', 'nobody']).default('account'),
    shopper_email: z.email().max(EMAIL_MAX).optional(),
  })
  .refine(({ charge, shopper_email: email }) => charge !== 'shopper' || email !== undefined, {
    path: ['shopper_email'],
    error: 'is needed when the shopper pays',
  })

/** Plays the platform for whoever tries this out: there only where the database is embedded, so surely not the platform's. */
export const rehearsalRoutes = ({ rehearsal }: HttpParts): Route[] => {
  if (rehearsal === null) return []
  return [
    // Takes a task with `charge` beside its fields; charges and writes the session row, and publishes nothing.
    route({
      method: 'post',
      path: '/v1/rehearsal/orders',
      body: 'json',
      handle: ({ body }) => placeOrder(body, rehearsal),
    }),
    // Takes a picture's bytes; answers a signed URL that a task can name.
    route({
      method: 'post',
      path: '/v1/rehearsal/pictures',
      body: 'picture',
      handle: async ({ body }) => {
        const kept = await reach(rehearsal.upload(body))
        if (kept === null) throw new Problem('no_picture')
        return { status: 201, body: { url: kept.url, expires_at: kept.expiresAt } }
      },
    }),
  ]
}

const placeOrder = async (body: Uint8Array, rehearsal: Rehearsal): Promise<Answer> => {
  const json = readJson(body)
  const task = GenerationTask.safeParse(json)
  if (!task.success) throw new Problem('invalid_request', { faults: bodyFaults(task.error) })
  const payment = Payment.safeParse(json)
  if (!payment.success) throw new Problem('invalid_request', { faults: bodyFaults(payment.error) })
  const { sessionId, owner, requestId, imageUrls, prompt } = task.data
  const { charge, shopper_email: shopperEmail } = payment.data
  const order = { sessionId, owner, requestId, imageUrls, prompt, charge }
  const outcome = await reach(rehearsal.order(shopperEmail === undefined ? order : { ...order, shopperEmail }))
  if (outcome === 'exists') throw new Problem('session_exists')
  return { status: 201, body: { session_id: sessionId, charge } }
}
