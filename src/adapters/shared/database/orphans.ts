import { z } from 'zod'
import { SessionId } from '../../../events/ids.ts'
import { Owner } from '../../../events/owner.ts'
import { ORPHAN_CLASSES, type Orphan, type OrphanRow, type Orphans } from '../../../projections/orphans.ts'
import { pageOf } from '../cursor.ts'
import type { CallFunction } from './functions.ts'
import { placeOf } from './place.ts'

/** What lost its other half, behind the database's functions. */
export const databaseOrphans = (call: CallFunction): Orphans => ({
  list: async ({ class: name = null, cursor, limit }) => {
    const rows = await call('wearon_orphans', { p_class: name, ...placeOf(cursor), p_limit: limit + 1 })
    return pageOf(Line.array().parse(rows), limit, orphan, ({ since: time, id }) => ({ time, id }))
  },
  rows: async ({ before, limit }) => {
    const rows = await call('wearon_orphan_rows', { p_created_before: before, p_limit: limit })
    return Row.array().parse(rows).map(orphanRow)
  },
  row: async (session) => {
    const rows = await call('wearon_orphan_rows', { p_created_before: null, p_session: session })
    return Row.array().parse(rows).map(orphanRow)[0] ?? null
  },
  noteObjects: async (results, at, last) => {
    const objects = results.map(({ path, sessionId, storedAt }) => ({
      path,
      session_id: sessionId,
      stored_at: storedAt,
    }))
    await call('wearon_note_objects', { p_objects: objects, p_at: at, p_last: last })
  },
})

const Channel = z.enum(['b2c', 'b2b'])

const Line = z.object({
  id: z.guid(),
  class: z.enum(ORPHAN_CLASSES),
  session_id: SessionId.nullable(),
  channel: Channel.nullable(),
  owner_id: z.guid().nullable(),
  request_id: z.string().nullable(),
  since: z.string(),
  credits: z.number(),
  settles: z.boolean().nullable(),
  detail: z.string(),
})

const orphan = (line: z.infer<typeof Line>): Orphan => ({
  class: line.class,
  sessionId: line.session_id,
  channel: line.channel,
  ownerId: line.owner_id,
  requestId: line.request_id,
  since: new Date(line.since).toISOString(),
  credits: line.credits,
  settles: line.settles ?? false,
  detail: line.detail,
})

const Row = z.object({ session_id: SessionId, channel: Channel, owner_id: z.guid(), request_id: z.string().nullable() })

const orphanRow = ({ session_id, channel, owner_id, request_id }: z.infer<typeof Row>): OrphanRow => ({
  sessionId: session_id,
  owner: Owner.parse(channel === 'b2b' ? { channel, storeId: owner_id } : { channel, userId: owner_id }),
  requestId: request_id,
})
