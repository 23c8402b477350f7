import { z } from 'zod'
import { Fact } from '../events/fact.ts'
import { SessionId } from '../events/ids.ts'
import { sessionTable } from '../machines/compile.ts'
import { advance, type Snapshot, unborn } from '../machines/snapshot.ts'
import { ofSession } from './access.ts'
import type { HttpParts } from './parts.ts'
import { reach } from './problem.ts'
import { type Route, route } from './route.ts'
import { findSession } from './sessions.ts'

const TimelineAnswer = z.strictObject({
  items: z.array(
    z.strictObject({
      fact: Fact,
      state: z.string(),
      /** What the machine remembers after the fact. */
      context: z.looseObject({}),
      /** False: today's machine does not take this fact in the state before it, and stays there. */
      accepted: z.boolean(),
    }),
  ),
})

/** A session as it was after each of its facts: replayed, since nothing but the facts is kept of the past. */
export const timelineRoutes = (parts: HttpParts): Route[] => [
  route({
    method: 'get',
    path: '/v1/generations/:id/timeline',
    title: 'A session as it stood after each of its facts, by replay',
    access: ofSession('read'),
    params: z.strictObject({ id: SessionId }),
    answer: TimelineAnswer,
    handle: async ({ params: { id } }) => {
      const facts = await reach(parts.archive.session(id))
      if (facts.length === 0) await findSession(id, parts)
      return { status: 200, body: { items: replayed(id, facts) } }
    },
  }),
]

const replayed = (id: SessionId, facts: readonly Fact[]): z.infer<typeof TimelineAnswer>['items'] => {
  let session: Snapshot = unborn(sessionTable, id)
  return facts.map((fact) => {
    const next = advance(sessionTable, session, fact)
    session = next ?? { ...session, seq: fact.seq }
    return { fact, state: session.state, context: { ...session.context }, accepted: next !== null }
  })
}
