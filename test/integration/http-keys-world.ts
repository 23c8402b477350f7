import { newSecret } from '../../src/adapters/system/secret.ts'
import { hashOf, keyText } from '../../src/http/api-key.ts'
import type { NewKey } from '../../src/projections/api-keys.ts'
import type { World } from './http-world.ts'

let made = 0

/** Puts a key into the store and answers it as its bearer sends it. */
export const makeKey = async (
  { store }: World,
  changes: Partial<NewKey> = {},
): Promise<{ id: string; key: string }> => {
  made += 1
  const id = made.toString(16).padStart(16, '0')
  const secret = newSecret()
  await store.apiKeys.create({
    id,
    name: `key ${id}`,
    secretHash: hashOf(secret),
    scopes: ['read'],
    tenant: null,
    createdBy: 'loopback',
    createdAt: new Date().toISOString(),
    expiresAt: null,
    ...changes,
  })
  return { id, key: keyText({ id, secret }) }
}

export const bearer = (key: string) => ({ authorization: `Bearer ${key}` })
