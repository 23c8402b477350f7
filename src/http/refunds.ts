import { z } from 'zod'
import type { Ask } from '../events/command.ts'
import { SessionId } from '../events/ids.ts'
import { SettlementHow } from '../events/refund.ts'
import { text } from '../events/text.ts'
import type { RefundFilter, RefundView } from '../projections/refund-view.ts'
import { ofSession, ofTenant } from './access.ts'
import { AskedAnswer, pageAnswer } from './answer-schemas.ts'
import { RefundAnswer, RefundStoryAnswer } from './answer-schemas-books.ts'
import { By, operator, publishAsks, Why } from './asks.ts'
import { actorOf, type Caller, partsOfTenant } from './caller.ts'
import { csvAnswer, wantsCsv } from './csv.ts'
import { given, pageQuery, readPage } from './page.ts'
import type { HttpParts } from './parts.ts'
import { Problem, reach } from './problem.ts'
import { refundColumns, refundJson, storyJson } from './refund-views.ts'
import { type Answer, type Route, route } from './route.ts'
import { AccountId, Format, Moment } from './scope.ts'
import { pageJson } from './views.ts'

const RefundState = z.enum(['owed', 'issued', 'waived', 'settled', 'escalated'])
const PAYER_MAX = 320
const ONE_HOUR_MS = 3_600_000
const ages = { '1h': ONE_HOUR_MS, '24h': 24 * ONE_HOUR_MS, '7d': 7 * 24 * ONE_HOUR_MS } as const

const OneRefund = z.strictObject({ id: SessionId })
const SettleBody = z.strictObject({ by: By, how: SettlementHow, why: Why })
const RetryBody = z.strictObject({ by: By })

/** Who is owed what, who got it back, and what finance does about it. */
export const refundRoutes = (parts: HttpParts): Route[] => [
  route({
    method: 'get',
    path: '/v1/refunds',
    title: 'Who is owed what, and who got it back',
    answer: pageAnswer(RefundAnswer),
    access: ofTenant('finance'),
    query: pageQuery(parts.limits).extend({
      state: RefundState.optional(),
      channel: z.enum(['b2b', 'b2c']).optional(),
      owner: AccountId.optional(),
      payer: text(PAYER_MAX).min(1).optional(),
      since: Moment.optional(),
      until: Moment.optional(),
      age: z.enum(Object.keys(ages) as (keyof typeof ages)[]).optional(),
      format: Format.optional(),
    }),
    handle: async ({ query: { format, age, limit, cursor, ...query }, headers, caller }) => {
      const filter: RefundFilter = {
        ...given(query),
        ...ownOf(caller, query.owner),
        ...(age && olderThan(age, query.until, parts)),
      }
      if (wantsCsv(format, headers))
        return csvAnswer('refunds', refundColumns, (page) => parts.queries.refunds({ ...filter, ...page }))
      const page = parts.queries.refunds({ ...filter, ...given({ limit, cursor }) })
      return { status: 200, body: pageJson(await readPage(page), refundJson) }
    },
  }),
  route({
    method: 'get',
    path: '/v1/refunds/:id',
    title: 'What lies behind one refund',
    answer: RefundStoryAnswer,
    access: ofSession('finance'),
    params: OneRefund,
    handle: async ({ params: { id } }) => {
      const story = await reach(parts.queries.refundStory(id))
      if (story === null) throw new Problem('session_unknown')
      return { status: 200, body: storyJson(story, await reach(parts.archive.session(id))) }
    },
  }),
  route({
    method: 'post',
    path: '/v1/refunds/:id/settle',
    title: 'Note that an owed refund was settled by hand',
    answer: AskedAnswer,
    access: ofSession('finance'),
    action: 'refund.settle',
    params: OneRefund,
    json: SettleBody,
    handle: async ({ params: { id }, json: { by, ...how }, caller }) => {
      const settled = { by: operator(actorOf(caller, by)), ...how }
      return ask(id, { command: 'refund.settle', sessionId: id, ...settled }, parts)
    },
  }),
  route({
    method: 'post',
    path: '/v1/refunds/:id/retry',
    title: 'Try an owed refund now',
    answer: AskedAnswer,
    access: ofSession('finance'),
    action: 'refund.retry',
    params: OneRefund,
    json: RetryBody,
    handle: async ({ params: { id }, json, caller }) => {
      const by = operator(actorOf(caller, json.by))
      return ask(id, { command: 'refund.retry', sessionId: id, by }, parts)
    },
  }),
]

/** A key of one store or user sees what is owed for its own sessions. */
const ownOf = ({ tenant }: Caller, asked: string | undefined): RefundFilter => {
  if (tenant === null) return {}
  const { kind, id } = partsOfTenant(tenant)
  if (asked !== undefined && asked !== id) throw new Problem('account_unknown')
  return { owner: id, channel: kind === 'store' ? 'b2b' : 'b2c' }
}

const olderThan = (age: keyof typeof ages, until: string | undefined, { env }: HttpParts): RefundFilter => {
  const before = new Date(env.clock.now() - ages[age]).toISOString()
  return { until: until !== undefined && until < before ? until : before }
}

/** Hands the command to the session's owner; whether it came in time shows the refund afterwards. */
const ask = async (id: SessionId, command: Ask, parts: HttpParts): Promise<Answer> => {
  const { state } = await owedRefund(id, parts)
  await publishAsks([command], parts)
  return { status: 202, headers: { Location: `/v1/refunds/${id}` }, body: { session_id: id, state } }
}

/** @throws Problem where nobody waits for anything any more: what was decided stays. */
const owedRefund = async (id: SessionId, { queries }: HttpParts): Promise<RefundView> => {
  const story = await reach(queries.refundStory(id))
  if (story === null) throw new Problem('session_unknown')
  const { refund } = story
  if (refund?.state !== 'owed' && refund?.state !== 'escalated') throw new Problem('refund_decided')
  return refund
}
