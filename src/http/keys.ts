import { z } from 'zod'
import { isoTime, text } from '../events/text.ts'
import { type ApiKey, SCOPES } from '../projections/api-keys.ts'
import { ofService } from './access.ts'
import { hashOf, keyText } from './api-key.ts'
import { type Caller } from './caller.ts'
import type { Gate } from './gate.ts'
import type { HttpParts } from './parts.ts'
import { Problem, reach } from './problem.ts'
import { type Answer, type Route, route } from './route.ts'
import { AccountId, Moment } from './scope.ts'

const NAME_MAX = 100
const KEYS_SHOWN_MAX = 1_000
/** A key of one store or user is for these; everything else is about the service as a whole. */
const OF_TENANTS: ReadonlySet<string> = new Set(['publish', 'read', 'finance', 'estimate'])

const NewKeyBody = z
  .strictObject({
    name: text(NAME_MAX).min(1),
    scopes: z.array(z.enum(SCOPES)).min(1),
    store: AccountId.optional(),
    user: AccountId.optional(),
    expires_at: Moment.optional(),
  })
  .refine(({ store, user }) => store === undefined || user === undefined, {
    path: ['user'],
    error: 'does not go together with store',
  })
  .refine(
    ({ store, user, scopes }) => (store ?? user) === undefined || scopes.every((scope) => OF_TENANTS.has(scope)),
    {
      path: ['scopes'],
      error: 'operate is about the whole service: not for a key of one store or user',
    },
  )

const OneKey = z.strictObject({ id: z.string().regex(/^[0-9a-f]{16}$/, 'is not the id of a key') })

export const KeyAnswer = z.strictObject({
  id: z.string(),
  name: z.string(),
  scopes: z.array(z.enum(SCOPES)),
  tenant: z.string().nullable(),
  created_by: z.string(),
  created_at: z.string(),
  expires_at: z.string().nullable(),
  last_used_at: z.string().nullable(),
  revoked_at: z.string().nullable(),
})

/** Who may use the API. A key is shown once, when it is made; nobody can read it afterwards. */
export const keyRoutes = (parts: HttpParts, gate: Pick<Gate, 'forget'>): Route[] => [
  route({
    method: 'get',
    path: '/v1/keys',
    title: 'The keys of the API, without their secrets',
    access: ofService('operate'),
    answer: z.strictObject({ items: z.array(KeyAnswer) }),
    handle: async () => ({
      status: 200,
      body: { items: (await reach(parts.keys.list(KEYS_SHOWN_MAX))).map(keyJson) },
    }),
  }),
  route({
    method: 'post',
    path: '/v1/keys',
    title: 'Make a key; the answer is the only one that shows it',
    access: ofService('operate'),
    action: 'key.create',
    json: NewKeyBody,
    answer: KeyAnswer.extend({ key: z.string() }),
    handle: ({ json, caller }) => createKey(json, caller, parts, gate),
  }),
  route({
    method: 'delete',
    path: '/v1/keys/:id',
    title: 'Revoke a key',
    access: ofService('operate'),
    action: 'key.revoke',
    params: OneKey,
    answer: KeyAnswer,
    handle: async ({ params: { id } }) => {
      const revoked = await reach(parts.keys.revoke(id, isoTime(parts.env.clock.now())))
      gate.forget(id)
      if (revoked === null) throw new Problem('key_unknown')
      return { status: 200, body: keyJson(revoked) }
    },
  }),
]

const createKey = async (
  { name, scopes, store, user, expires_at: expires }: z.infer<typeof NewKeyBody>,
  caller: Caller,
  { keys, env, newSecret }: HttpParts,
  gate: Pick<Gate, 'forget'>,
): Promise<Answer> => {
  const nowMs = env.clock.now()
  const expiresAt = expires ?? null
  if (expiresAt !== null && Date.parse(expiresAt) <= nowMs) {
    throw new Problem('invalid_request', { faults: [{ detail: 'expires_at: is over', pointer: '#/expires_at' }] })
  }
  const id = env.newId().replaceAll('-', '').slice(0, 16)
  const secret = newSecret()
  const tenant = (store && `store:${store}`) ?? (user && `user:${user}`) ?? null
  const key = { id, name, scopes: [...new Set(scopes)], tenant, expiresAt }
  const made = { ...key, createdBy: caller.name, createdAt: isoTime(nowMs) }
  await reach(keys.create({ ...made, secretHash: hashOf(secret) }))
  gate.forget(id)
  const shown = keyJson({ ...made, lastUsedAt: null, revokedAt: null })
  return { status: 201, headers: { Location: `/v1/keys/${id}` }, body: { ...shown, key: keyText({ id, secret }) } }
}

const keyJson = (key: ApiKey): z.infer<typeof KeyAnswer> => ({
  id: key.id,
  name: key.name,
  scopes: [...key.scopes],
  tenant: key.tenant,
  created_by: key.createdBy,
  created_at: key.createdAt,
  expires_at: key.expiresAt,
  last_used_at: key.lastUsedAt,
  revoked_at: key.revokedAt,
})
