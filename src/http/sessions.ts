import { z } from 'zod'
import { SessionId } from '../events/ids.ts'
import { text } from '../events/text.ts'
import type { SessionView } from '../projections/queries.ts'
import { Accepted, queuedView } from './accepted.ts'
import { ofSession, ofTenant } from './access.ts'
import { FactsAnswer, OneSessionAnswer, pageAnswer, SessionAnswer } from './answer-schemas.ts'
import { keptTo } from './caller.ts'
import { ImageLinks } from './image-links.ts'
import { given, pageQuery, readPage } from './page.ts'
import type { HttpParts } from './parts.ts'
import { Problem, reach } from './problem.ts'
import { type Route, route } from './route.ts'
import { pageJson, sessionJson } from './views.ts'

const SessionState = z.enum(['queued', 'processing', 'completed', 'failed', 'refunded'])
const TENANT_MAX = 100

/** Sessions as people ask for them. */
export const sessionRoutes = (parts: HttpParts): Route[] => {
  const links = new ImageLinks(parts.images, parts.env)
  return [
    route({
      method: 'get',
      path: '/v1/generations',
      title: 'Sessions, the newest first',
      answer: pageAnswer(SessionAnswer),
      access: ofTenant('read'),
      query: pageQuery(parts.limits).extend({
        state: SessionState.optional(),
        channel: z.enum(['b2b', 'b2c']).optional(),
        tenant: text(TENANT_MAX).min(1).optional(),
      }),
      handle: async ({ query, caller }) => {
        const filter = given({ ...query, tenant: keptTo(caller, query.tenant) })
        return { status: 200, body: pageJson(await readPage(parts.queries.sessions(filter)), sessionJson) }
      },
    }),
    route({
      method: 'get',
      path: '/v1/generations/:id',
      title: 'One session',
      answer: OneSessionAnswer,
      access: ofSession('read'),
      params: z.strictObject({ id: SessionId }),
      handle: async ({ params }) => {
        const view = await findSession(params.id, parts)
        const { image, state } = await reach(links.of(view))
        return {
          status: 200,
          headers: pollAfter(view),
          body: { ...sessionJson({ ...view, ...image }), image_state: state },
        }
      },
    }),
    route({
      method: 'get',
      path: '/v1/generations/:id/facts',
      title: 'Everything that happened to a session',
      answer: FactsAnswer,
      access: ofSession('read'),
      params: z.strictObject({ id: SessionId }),
      handle: async ({ params: { id } }) => {
        const facts = await reach(parts.archive.session(id))
        if (facts.length === 0) await findSession(id, parts)
        return { status: 200, body: { items: facts } }
      },
    }),
  ]
}

/** The session as the tables know it; one that was only accepted so far is queued. @throws Problem `session_unknown` */
export const findSession = async (id: SessionId, { queries, acceptances }: HttpParts): Promise<SessionView> => {
  const view = await reach(queries.session(id))
  if (view !== null) return view
  const accepted = await reach(acceptances.find(id))
  if (accepted === null) throw new Problem('session_unknown')
  return queuedView(Accepted.parse(accepted))
}

/** Whoever polls may do so this often, in seconds, until the session has ended. */
const POLL_S = 2

const pollAfter = ({ state }: SessionView): Record<string, string> =>
  state === 'queued' || state === 'processing' ? { 'Retry-After': String(POLL_S) } : {}
