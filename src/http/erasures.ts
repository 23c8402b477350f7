import { z } from 'zod'
import { StoreId, UserId } from '../events/ids.ts'
import type { Owner } from '../events/owner.ts'
import { ofService } from './access.ts'
import { ErasureAnswer } from './answer-schemas.ts'
import { By } from './asks.ts'
import { actorOf } from './caller.ts'
import type { HttpParts } from './parts.ts'
import { reach } from './problem.ts'
import { type Route, route } from './route.ts'

const ERASE_MS = 120_000

const Body = z.union([z.strictObject({ by: By, user: UserId }), z.strictObject({ by: By, store: StoreId })], {
  error: 'names either a user or a store',
})

/** Blanks what is kept of a user or a store, some hundred sessions at a time. */
export const erasureRoutes = (parts: HttpParts): Route[] => [
  route({
    method: 'post',
    path: '/v1/erasures',
    title: 'Blank the personal data of a user or a store',
    answer: ErasureAnswer,
    access: ofService('operate'),
    action: 'owner.erase',
    json: Body,
    timeoutMs: ERASE_MS,
    handle: async ({ json, caller }) => ({
      status: 200,
      body: await reach(parts.erase(ownerOf(json), actorOf(caller, json.by))),
    }),
  }),
]

const ownerOf = (asked: z.infer<typeof Body>): Owner =>
  'user' in asked ? { channel: 'b2c', userId: asked.user } : { channel: 'b2b', storeId: asked.store }
