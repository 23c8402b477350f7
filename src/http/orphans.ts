import { z } from 'zod'
import { SessionId } from '../events/ids.ts'
import { ORPHAN_CLASSES, type Orphan } from '../projections/orphans.ts'
import { ofService } from './access.ts'
import { AskedAnswer, pageAnswer } from './answer-schemas.ts'
import { OrphanAnswer } from './answer-schemas-books.ts'
import { By, operator, publishAsks } from './asks.ts'
import { actorOf } from './caller.ts'
import { type Columns, csvAnswer, wantsCsv } from './csv.ts'
import { given, pageQuery, readPage } from './page.ts'
import type { HttpParts } from './parts.ts'
import { Problem, reach } from './problem.ts'
import { type Route, route } from './route.ts'
import { Format } from './scope.ts'
import { pageJson } from './views.ts'

const ORPHANS_MS = 60_000

/** What lost its other half: rows without a task, charges without a row, images without a completed session. */
export const orphanRoutes = (parts: HttpParts): Route[] => [
  route({
    method: 'get',
    path: '/v1/orphans',
    title: 'Rows without a task, charges without a row, images without a session',
    answer: pageAnswer(OrphanAnswer),
    access: ofService('finance'),
    query: pageQuery(parts.limits).extend({ class: z.enum(ORPHAN_CLASSES).optional(), format: Format.optional() }),
    timeoutMs: ORPHANS_MS,
    handle: async ({ query: { format, class: name, ...page }, headers }) => {
      const filter = name ? { class: name } : {}
      if (wantsCsv(format, headers))
        return csvAnswer('orphans', orphanColumns, (wanted) => parts.orphans.list({ ...filter, ...wanted }))
      const items = parts.orphans.list({ ...filter, ...given(page) })
      return { status: 200, body: pageJson(await readPage(items), orphanJson) }
    },
  }),
  route({
    method: 'post',
    path: '/v1/orphans/:id/settle',
    title: 'Give up a row for which no task came, and give back its credit',
    answer: AskedAnswer,
    access: ofService('finance'),
    action: 'orphan.settle',
    params: z.strictObject({ id: SessionId }),
    json: z.strictObject({ by: By }),
    timeoutMs: ORPHANS_MS,
    handle: async ({ params: { id }, json, caller }) => {
      const by = operator(actorOf(caller, json.by))
      const row = await reach(parts.orphans.row(id))
      if (row === null) throw new Problem('no_orphan')
      await publishAsks([{ command: 'generation.give_up', by, ...row }], parts)
      return { status: 202, headers: { Location: `/v1/refunds/${id}` }, body: { session_id: id } }
    },
  }),
]

const orphanColumns: Columns<Orphan> = {
  class: (one) => one.class,
  session_id: (one) => one.sessionId,
  channel: (one) => one.channel,
  owner_id: (one) => one.ownerId,
  request_id: (one) => one.requestId,
  since: (one) => one.since,
  credits: (one) => one.credits,
  settles: (one) => (one.settles ? 'by itself' : 'by hand'),
  detail: (one) => one.detail,
}

const orphanJson = (one: Orphan): object =>
  Object.fromEntries(Object.entries(orphanColumns).map(([name, of]) => [name, of(one)]))
