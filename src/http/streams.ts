import { z } from 'zod'
import { SessionId } from '../events/ids.ts'
import { ofService, ofSession } from './access.ts'
import { allEvents } from './all-events.ts'
import type { FactFeed } from './fact-feed.ts'
import type { HttpParts } from './parts.ts'
import { ResumeQuery } from './resume.ts'
import { type Route, route } from './route.ts'
import { sessionEvents } from './session-events.ts'

/** Live updates as server-sent events. An event's id is where to resume behind. */
export const streamRoutes = (parts: HttpParts, feed: FactFeed): Route[] => {
  return [
    route({
      method: 'get',
      path: '/v1/generations/:id/events',
      title: 'What happens to a session, as server-sent events until it has ended',
      access: ofSession('read'),
      params: z.strictObject({ id: SessionId }),
      query: ResumeQuery,
      handle: (call) => sessionEvents(call, parts, feed),
    }),
    route({
      method: 'get',
      path: '/v1/events',
      title: 'Everything that happens, as server-sent events',
      access: ofService('read'),
      query: ResumeQuery,
      handle: (call) => allEvents(call, parts, feed),
    }),
  ]
}
