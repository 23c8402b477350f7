import { z } from 'zod'
import type { Ask } from '../events/command.ts'
import { SessionId } from '../events/ids.ts'
import { isoTime } from '../events/text.ts'
import type { PastRow, Unreturned } from '../projections/past.ts'
import { ofService } from './access.ts'
import { ApprovalAnswer, ImportAnswer, PastAnswer, pageAnswer } from './answer-schemas.ts'
import { By, operator, publishAsks, Why } from './asks.ts'
import { actorOf, type Caller } from './caller.ts'
import { type Columns, csvAnswer, wantsCsv } from './csv.ts'
import { given, pageQuery, readPage } from './page.ts'
import type { HttpParts } from './parts.ts'
import { Problem } from './problem.ts'
import { type Answer, type Route, route } from './route.ts'
import { Format, Moment } from './scope.ts'
import { pageJson } from './views.ts'

/** Rows that one request imports, and sessions that one approves: each is a message of some hundred bytes. */
const BATCH_MAX = 500
const PAST_MS = 60_000
/** A younger row may wait for its task. */
const YOUNGEST_MS = 3_600_000
const DAY_MS = 86_400_000
const CURSOR_MAX = 500

const ImportBody = z.strictObject({
  by: By,
  before: Moment.optional(),
  cursor: z.string().max(CURSOR_MAX).optional(),
  dry_run: z.boolean().default(false),
})
const ApprovalBody = z.strictObject({ by: By, why: Why, dry_run: z.boolean().default(false) })
const ApprovalsBody = ApprovalBody.extend({ session_ids: z.array(SessionId).min(1).max(BATCH_MAX) })

/** What was before this system: importing it, and giving back what nobody gave back then. */
export const historyRoutes = (parts: HttpParts): Route[] => [
  route({
    method: 'get',
    path: '/v1/history',
    title: 'Failed sessions of before this system whose credits nobody gave back',
    answer: pageAnswer(PastAnswer),
    access: ofService('finance'),
    query: pageQuery(parts.limits).extend({ format: Format.optional() }),
    timeoutMs: PAST_MS,
    handle: async ({ query: { format, ...page }, headers }) => {
      if (wantsCsv(format, headers))
        return csvAnswer('history', unreturnedColumns, (wanted) => parts.past.unreturned(wanted))
      return { status: 200, body: pageJson(await readPage(parts.past.unreturned(given(page))), unreturnedJson) }
    },
  }),
  route({
    method: 'post',
    path: '/v1/history/import',
    title: 'Import a batch of sessions that ended before this system',
    answer: ImportAnswer,
    access: ofService('operate'),
    action: 'history.import',
    json: ImportBody,
    timeoutMs: PAST_MS,
    handle: ({ json, caller }) => importBatch(json, caller, parts),
  }),
  route({
    method: 'post',
    path: '/v1/history/approvals',
    title: 'Give back what many old sessions are owed',
    answer: ApprovalAnswer,
    access: ofService('finance'),
    action: 'history.approve',
    json: ApprovalsBody,
    timeoutMs: PAST_MS,
    handle: ({ json: { session_ids: ids, ...approval }, caller }) =>
      approve([...new Set(ids)], { ...approval, by: actorOf(caller, approval.by), bulk: true }, parts),
  }),
  route({
    method: 'post',
    path: '/v1/history/:id/approve',
    title: 'Give back what one old session is owed',
    answer: ApprovalAnswer,
    access: ofService('finance'),
    action: 'history.approve',
    params: z.strictObject({ id: SessionId }),
    json: ApprovalBody,
    timeoutMs: PAST_MS,
    handle: ({ params: { id }, json, caller }) =>
      approve([id], { ...json, by: actorOf(caller, json.by), bulk: false }, parts),
  }),
]

/** One batch, oldest first; `next` goes on from there. A row that was imported before is not met again. */
const importBatch = async (
  { by: asked, before, cursor, dry_run: isDry }: z.infer<typeof ImportBody>,
  caller: Caller,
  parts: HttpParts,
): Promise<Answer> => {
  const by = actorOf(caller, asked)
  const nowMs = parts.env.clock.now()
  const bound = before ?? isoTime(nowMs - DAY_MS)
  if (Date.parse(bound) > nowMs - YOUNGEST_MS) {
    throw new Problem('invalid_request', {
      faults: [{ detail: 'must be an hour ago or earlier', pointer: '#/before' }],
    })
  }
  const page = await readPage(parts.past.rows({ before: bound, limit: BATCH_MAX, ...(cursor && { cursor }) }))
  if (!isDry)
    await publishAsks(
      page.items.map((row) => importOf(row, by)),
      parts,
    )
  const completed = page.items.filter(({ end }) => end === 'completed').length
  return {
    status: isDry ? 200 : 202,
    body: { completed, failed: page.items.length - completed, before: bound, next: page.next },
  }
}

const importOf = ({ sessionId, owner, requestId, end, evidence, requestedAt }: PastRow, by: string): Ask => ({
  command: 'generation.import',
  sessionId,
  by: operator(by),
  owner,
  requestId,
  end,
  evidence,
  requestedAt,
})

interface Approval {
  readonly by: string
  readonly why: string
  readonly dry_run: boolean
  readonly bulk: boolean
}

type Verdict = 'approved' | 'not_approvable' | 'only_one_by_one'

const approve = async (ids: readonly SessionId[], approval: Approval, parts: HttpParts): Promise<Answer> => {
  const { by, why, bulk, dry_run: isDry } = approval
  const { items } = await readPage(parts.past.unreturned({ sessions: ids, limit: ids.length }))
  const known = new Map(items.map((one) => [one.sessionId, one]))
  const verdicts = ids.map((id) => ({
    id,
    credits: known.get(id)?.credits ?? 0,
    verdict: verdictOn(known.get(id), bulk),
  }))
  const approved = verdicts.filter(({ verdict }) => verdict === 'approved')
  if (!isDry) {
    const asks = approved.map(
      ({ id }) => ({ command: 'refund.approve', sessionId: id, by: operator(by), why, bulk }) as const,
    )
    await publishAsks(asks, parts)
  }
  return {
    status: isDry ? 200 : 202,
    body: {
      approved: approved.length,
      credits: approved.reduce((sum, { credits }) => sum + credits, 0),
      items: verdicts.map(({ id, credits, verdict }) => ({ session_id: id, verdict, credits })),
    },
  }
}

const verdictOn = (one: Unreturned | undefined, bulk: boolean): Verdict => {
  if (one === undefined) return 'not_approvable'
  return bulk && one.proof === 'unproved' ? 'only_one_by_one' : 'approved'
}

const unreturnedColumns: Columns<Unreturned> = {
  session_id: (one) => one.sessionId,
  channel: (one) => one.channel,
  owner_id: (one) => one.ownerId,
  request_id: (one) => one.requestId,
  requested_at: (one) => one.requestedAt,
  ended_at: (one) => one.endedAt,
  error_message: (one) => one.errorMessage,
  payer: (one) => one.payer,
  credits: (one) => one.credits,
  proof: (one) => one.proof,
  detail: (one) => one.detail,
}

const unreturnedJson = (one: Unreturned): object =>
  Object.fromEntries(Object.entries(unreturnedColumns).map(([name, of]) => [name, of(one)]))
