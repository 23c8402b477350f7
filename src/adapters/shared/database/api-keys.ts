import { z } from 'zod'
import { type ApiKeys, type Audit, type AuditEntry, type KeptKey, SCOPES } from '../../../projections/api-keys.ts'
import { pageOf } from '../cursor.ts'
import type { CallFunction } from './functions.ts'
import { placeOf } from './place.ts'

/** The API's keys behind the database's functions. */
export const databaseApiKeys = (call: CallFunction): ApiKeys => ({
  create: async (key) => {
    await call('wearon_key_create', {
      p_key: {
        id: key.id,
        name: key.name,
        secret_hash: key.secretHash,
        scopes: key.scopes,
        tenant: key.tenant,
        created_by: key.createdBy,
        created_at: key.createdAt,
        expires_at: key.expiresAt,
      },
    })
  },
  find: async (id) => Key.nullable().parse((await call('wearon_key', { p_id: id })) ?? null),
  any: async () => z.boolean().parse(await call('wearon_key_any', {})),
  list: async (limit) => Key.array().parse(await call('wearon_keys', { p_limit: limit })),
  revoke: async (id, at) => Key.nullable().parse((await call('wearon_key_revoke', { p_id: id, p_at: at })) ?? null),
  used: async (id, at) => {
    await call('wearon_key_used', { p_id: id, p_at: at })
  },
})

/** The audit behind the database's functions. */
export const databaseAudit = (call: CallFunction): Audit => ({
  begin: async ({ keyId, requestId, ...entry }) => {
    await call('wearon_audit_begin', { p_entry: { ...entry, key_id: keyId, request_id: requestId } })
  },
  end: async (id, outcome) => {
    await call('wearon_audit_end', { p_id: id, p_outcome: outcome })
  },
  list: async ({ action = null, target = null, cursor, limit }) => {
    const filter = { p_action: action, p_target: target }
    const rows = await call('wearon_audit', { ...filter, ...placeOf(cursor), p_limit: limit + 1 })
    // The page's end is a place in the table, so to the microsecond: `at` as it is shown would leave rows out.
    return pageOf(Entry.array().parse(rows), limit, auditEntry, ({ at: time, id }) => ({ time, id }))
  },
})

const time = z.string().transform((text) => new Date(text).toISOString())

const Key = z
  .object({
    id: z.string(),
    name: z.string(),
    secret_hash: z.string(),
    scopes: z.enum(SCOPES).array(),
    tenant: z.string().nullable(),
    created_by: z.string(),
    created_at: time,
    expires_at: time.nullable(),
    last_used_at: time.nullable(),
    revoked_at: time.nullable(),
  })
  .transform(
    (row): KeptKey => ({
      id: row.id,
      name: row.name,
      secretHash: row.secret_hash,
      scopes: row.scopes,
      tenant: row.tenant,
      createdBy: row.created_by,
      createdAt: row.created_at,
      expiresAt: row.expires_at,
      lastUsedAt: row.last_used_at,
      revokedAt: row.revoked_at,
    }),
  )

const Entry = z.object({
  id: z.guid(),
  at: z.string(),
  actor: z.string(),
  key_id: z.string().nullable(),
  action: z.string(),
  target: z.string().nullable(),
  request_id: z.string(),
  detail: z.record(z.string(), z.unknown()),
  outcome: z.string().nullable(),
})

const auditEntry = ({ key_id: keyId, request_id: requestId, at, ...row }: z.infer<typeof Entry>): AuditEntry => ({
  ...row,
  at: new Date(at).toISOString(),
  keyId,
  requestId,
})
