import { z } from 'zod'
import { GenerationTask } from '../events/task.ts'
import { ofService } from './access.ts'
import type { HttpParts, Rehearsal } from './parts.ts'
import { Problem, reach } from './problem.ts'
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

const Order = z.intersection(GenerationTask, Payment)

/** Plays the platform for whoever tries this out: there only where the database is embedded, so surely not the platform's. */
export const rehearsalRoutes = ({ rehearsal }: HttpParts): Route[] => {
  if (rehearsal === null) return []
  return [
    // Takes a task with `charge` beside its fields; charges and writes the session row, and publishes nothing.
    route({
      method: 'post',
      path: '/v1/rehearsal/orders',
      title: 'Play the platform: charge for a task and write its session row',
      access: ofService('publish'),
      json: Order,
      handle: ({ json }) => placeOrder(json, rehearsal),
    }),
    // Takes a picture's bytes; answers a signed URL that a task can name.
    route({
      method: 'post',
      path: '/v1/rehearsal/pictures',
      title: 'Play the platform: keep a picture and sign its URL',
      access: ofService('publish'),
      body: 'picture',
      handle: async ({ body }) => {
        const kept = await reach(rehearsal.upload(body))
        if (kept === null) throw new Problem('no_picture')
        return { status: 201, body: { url: kept.url, expires_at: kept.expiresAt } }
      },
    }),
  ]
}

const placeOrder = async (asked: z.infer<typeof Order>, rehearsal: Rehearsal): Promise<Answer> => {
  const { sessionId, owner, requestId, imageUrls, prompt, charge, shopper_email: shopperEmail } = asked
  const order = { sessionId, owner, requestId, imageUrls, prompt, charge }
  const outcome = await reach(rehearsal.order(shopperEmail === undefined ? order : { ...order, shopperEmail }))
  if (outcome === 'exists') throw new Problem('session_exists')
  return { status: 201, body: { session_id: sessionId, charge } }
}
