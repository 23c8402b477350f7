import { z } from 'zod'
import { SessionId } from '../events/ids.ts'
import { ofService } from './access.ts'
import { By, operator, publishAsks } from './asks.ts'
import { actorOf, type Caller } from './caller.ts'
import type { HttpParts } from './parts.ts'
import { Problem, reach } from './problem.ts'
import { type Answer, type Route, route } from './route.ts'
import { AccountId } from './scope.ts'

/** Sessions of one request: each is a command of its own. */
const SESSIONS_MAX = 500
const HANDBACKS_MS = 60_000
/** By then every process that carries tasks from the list has heard that it is paused. */
const HEEDED_MS = 5_000

const HandbackBody = z
  .strictObject({
    by: By,
    store: AccountId.optional(),
    user: AccountId.optional(),
    after: SessionId.optional(),
    limit: z.int().min(1).max(SESSIONS_MAX).default(SESSIONS_MAX),
    dry_run: z.boolean().default(false),
  })
  .refine(({ store, user }) => store === undefined || user === undefined, {
    path: ['user'],
    error: 'does not go together with store',
  })

/** The way back: untouched sessions leave for the producers' list, where another worker takes them. */
export const handbackRoutes = (parts: HttpParts): Route[] => [
  route({
    method: 'get',
    path: '/v1/handbacks',
    title: 'How many sessions are on their way back to the producers’ list, and how many went',
    access: ofService('operate'),
    answer: z.strictObject({ released: z.int(), handed_back: z.int() }),
    timeoutMs: HANDBACKS_MS,
    handle: async () => {
      const { released, handedBack } = await reach(parts.handbacks.counts())
      return { status: 200, body: { released, handed_back: handedBack } }
    },
  }),
  route({
    method: 'post',
    path: '/v1/handbacks',
    title: 'Hand untouched sessions back to the producers’ list, a page at a time',
    access: ofService('operate'),
    action: 'generation.hand_back',
    json: HandbackBody,
    answer: z.strictObject({ sessions: z.int(), next: z.string().nullable(), dry_run: z.boolean() }),
    timeoutMs: HANDBACKS_MS,
    handle: ({ json, caller }) => handBack(json, caller, parts),
  }),
]

const handBack = async (
  { by, store, user, after, limit, dry_run: dryRun }: z.infer<typeof HandbackBody>,
  caller: Caller,
  parts: HttpParts,
): Promise<Answer> => {
  if (!parts.hasProducersList) throw new Problem('no_producers_list')
  if (!dryRun) await refuseUnlessHeld(parts)
  const tenant = (store && `store:${store}`) ?? (user && `user:${user}`)
  const found = await reach(
    parts.handbacks.untouched({ limit, ...(tenant && { tenant }), ...(after !== undefined && { after }) }),
  )
  if (!dryRun) {
    const asks = found.map((sessionId) => ({
      command: 'generation.hand_back' as const,
      sessionId,
      by: operator(actorOf(caller, by)),
    }))
    await publishAsks(asks, parts)
  }
  const next = found.length === limit ? (found.at(-1) ?? null) : null
  return { status: dryRun ? 200 : 202, body: { sessions: found.length, next, dry_run: dryRun } }
}

const refuseUnlessHeld = async ({ pauses, env }: HttpParts): Promise<void> => {
  const held = (await reach(pauses.list())).find(({ scope }) => scope === 'list')
  if (held === undefined || env.clock.now() - Date.parse(held.since) < HEEDED_MS) throw new Problem('list_not_paused')
}
