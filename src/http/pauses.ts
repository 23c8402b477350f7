import { z } from 'zod'
import { isoTime, text } from '../events/text.ts'
import type { Pause, PauseScope } from '../machines/ports/pauses.ts'
import { ofService } from './access.ts'
import { By, Why } from './asks.ts'
import { actorOf } from './caller.ts'
import type { HttpParts } from './parts.ts'
import { reach } from './problem.ts'
import { type Route, route } from './route.ts'
import { AccountId } from './scope.ts'

const SCOPE_MAX = 100

const IS_NONE = 'is neither all, list, store:<id> nor user:<id>'

const Scope = text(SCOPE_MAX).transform((given, context): PauseScope => {
  if (given === 'all' || given === 'list') return given
  const [, kind, id] = /^(store|user):(.*)$/.exec(given) ?? []
  const account = AccountId.safeParse(id)
  if (account.success && (kind === 'store' || kind === 'user')) return `${kind}:${account.data}`
  context.addIssue({ code: 'custom', message: IS_NONE })
  return z.NEVER
})

const params = z.strictObject({ scope: Scope })

const PauseAnswer = z.strictObject({ scope: z.string(), by: z.string(), why: z.string(), since: z.iso.datetime() })

/** What the whole fleet is told to wait with. */
export const pauseRoutes = ({ pauses, env }: HttpParts): Route[] => [
  route({
    method: 'get',
    path: '/v1/pauses',
    title: 'What waits because an operator said so, the oldest first',
    access: ofService('operate'),
    answer: z.strictObject({ items: z.array(PauseAnswer) }),
    handle: async () => ({ status: 200, body: { items: (await reach(pauses.list())).map(pauseJson) } }),
  }),
  route({
    method: 'post',
    path: '/v1/pauses/:scope',
    title: 'Start no new try, of anybody (all) or of one (store:ID, user:ID); or carry nothing from the list',
    access: ofService('operate'),
    action: 'pause.begin',
    params,
    json: z.strictObject({ by: By, why: Why }),
    answer: PauseAnswer,
    handle: async ({ params: { scope }, json: { by, why }, caller }) => {
      const since = isoTime(env.clock.now())
      const pause = await reach(pauses.pause({ scope, by: actorOf(caller, by), why, since }))
      return { status: 200, body: pauseJson(pause) }
    },
  }),
  route({
    method: 'delete',
    path: '/v1/pauses/:scope',
    title: 'Go on; null when nothing was paused',
    access: ofService('operate'),
    action: 'pause.end',
    params,
    answer: z.strictObject({ scope: z.string(), ended: PauseAnswer.nullable() }),
    handle: async ({ params: { scope } }) => {
      const ended = await reach(pauses.resume(scope))
      return { status: 200, body: { scope, ended: ended && pauseJson(ended) } }
    },
  }),
]

const pauseJson = ({ scope, by, why, since }: Pause): z.infer<typeof PauseAnswer> => ({ scope, by, why, since })
