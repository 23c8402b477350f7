import { z } from 'zod'
import { REQUEST_ID_MAX } from '../../../events/fact-schema.ts'
import { SessionId } from '../../../events/ids.ts'
import { Owner } from '../../../events/owner.ts'
import type { Past, PastRow, Unreturned } from '../../../projections/past.ts'
import { decodeCursor, pageOf } from '../cursor.ts'
import type { CallFunction } from './functions.ts'
import { placeOf } from './place.ts'

/** What was before this system, behind the database's functions. */
export const databasePast = (call: CallFunction): Past => ({
  rows: async ({ before, cursor, limit }) => {
    const after = decodeCursor(cursor)
    const rows = await call('wearon_past_rows', {
      p_created_before: before,
      p_after: after?.time ?? null,
      p_after_id: after?.id ?? null,
      p_limit: limit + 1,
    })
    return pageOf(Row.array().parse(rows), limit, pastRow, ({ created_at: time, id }) => ({ time, id }))
  },
  unreturned: async ({ sessions = null, cursor, limit }) => {
    const args = { p_sessions: sessions, ...placeOf(cursor), p_limit: limit + 1 }
    const rows = await call('wearon_unreturned', args)
    return pageOf(UnreturnedRow.array().parse(rows), limit, unreturned, (row) => ({
      time: row.requested_at,
      id: row.session_id,
    }))
  },
})

const Channel = z.enum(['b2c', 'b2b'])

const Row = z.object({
  id: SessionId,
  channel: Channel,
  owner_id: z.guid(),
  request_id: z.string().max(REQUEST_ID_MAX).nullable(),
  status: z.enum(['completed', 'failed']),
  created_at: z.string(),
  evidence: z.object({ words: z.string() }),
})

const pastRow = ({
  id,
  channel,
  owner_id,
  request_id,
  status,
  created_at,
  evidence,
}: z.infer<typeof Row>): PastRow => ({
  sessionId: id,
  owner: Owner.parse(channel === 'b2b' ? { channel, storeId: owner_id } : { channel, userId: owner_id }),
  requestId: request_id,
  end: status,
  requestedAt: new Date(created_at).toISOString(),
  evidence: evidence.words,
})

const UnreturnedRow = z.object({
  session_id: SessionId,
  channel: Channel,
  owner_id: z.guid(),
  request_id: z.string().nullable(),
  requested_at: z.string(),
  completed_at: z.string().nullable(),
  error_message: z.string().nullable(),
  payer: z.enum(['user', 'store', 'shopper', 'card', 'unknown']),
  credits: z.number(),
  proof: z.enum(['proved', 'unproved']),
  words: z.string(),
})

const unreturned = (row: z.infer<typeof UnreturnedRow>): Unreturned => ({
  sessionId: row.session_id,
  channel: row.channel,
  ownerId: row.owner_id,
  requestId: row.request_id,
  requestedAt: new Date(row.requested_at).toISOString(),
  endedAt: row.completed_at && new Date(row.completed_at).toISOString(),
  errorMessage: row.error_message,
  payer: row.payer,
  credits: row.credits,
  proof: row.proof,
  detail: row.words,
})
