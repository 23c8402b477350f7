import { randomUUID } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import type { NewKey } from '../../src/projections/api-keys.ts'
import type { StoreBench } from './store-bench.ts'

const at = (second: number): string => new Date(Date.UTC(2026, 0, 15, 10, 0, second)).toISOString()

/** The promises of the API's keys and of the audit. */
export const apiKeyLaws = (bench: StoreBench): void => {
  describe('API keys', () => {
    const newKey = (changes: Partial<NewKey> = {}): NewKey => ({
      id: randomUUID().slice(0, 8),
      name: 'shop',
      secretHash: 'ab'.repeat(32),
      scopes: ['publish', 'read'],
      tenant: 'store:1',
      createdBy: 'anna',
      createdAt: at(0),
      expiresAt: null,
      ...changes,
    })

    it('keeps a key as it was made, for every process', async () => {
      expect(await bench.store.apiKeys.any()).toBe(false)
      const [one, other] = [newKey(), newKey({ createdAt: at(1), expiresAt: at(59), tenant: null })]
      await bench.store.apiKeys.create(one)
      await bench.store.apiKeys.create(other)
      const { apiKeys } = bench.world.open()
      expect(await apiKeys.any()).toBe(true)
      expect(await apiKeys.find(one.id)).toEqual({ ...one, lastUsedAt: null, revokedAt: null })
      expect(await apiKeys.find('nobody')).toBeNull()
      expect((await apiKeys.list(10)).map(({ id }) => id)).toEqual([other.id, one.id])
      expect((await apiKeys.list(1)).map(({ expiresAt }) => expiresAt)).toEqual([at(59)])
    })

    it('makes no second key of an id', async () => {
      const key = newKey()
      await bench.store.apiKeys.create(key)
      await expect(bench.store.apiKeys.create({ ...key, scopes: ['operate'] })).rejects.toThrow(/key/)
      expect(await bench.store.apiKeys.find(key.id)).toMatchObject({ scopes: key.scopes })
    })

    it('keeps the time of the first revocation and of the latest use', async () => {
      const { id } = newKey()
      const { apiKeys } = bench.store
      await apiKeys.create(newKey({ id }))
      expect(await apiKeys.revoke(id, at(5))).toMatchObject({ id, revokedAt: at(5) })
      expect(await apiKeys.revoke(id, at(9))).toMatchObject({ id, revokedAt: at(5) })
      expect(await apiKeys.revoke('nobody', at(9))).toBeNull()
      await apiKeys.used(id, at(8))
      await apiKeys.used(id, at(7))
      expect(await apiKeys.find(id)).toMatchObject({ lastUsedAt: at(8), revokedAt: at(5) })
    })
  })

  describe('audit', () => {
    const entry = (second: number, action: string, target: string | null = null) => ({
      id: randomUUID(),
      at: at(second),
      actor: 'shop',
      keyId: 'k1',
      action,
      target,
      requestId: 'req_1',
      detail: { why: 'because' },
    })

    it('keeps who did what, and how it ended, once', async () => {
      const { audit } = bench.store
      const one = entry(1, 'refund.settle', 'a')
      await audit.begin(one)
      await audit.begin({ ...one, actor: 'somebody else' })
      expect((await audit.list({ limit: 5 })).items).toEqual([{ ...one, outcome: null }])
      await audit.end(one.id, 'done')
      await audit.end(one.id, 'refund_decided')
      expect((await audit.list({ limit: 5 })).items).toEqual([{ ...one, outcome: 'done' }])
    })

    it('lists it in pages, newest first, by action and by target', async () => {
      const { audit } = bench.store
      const actions = ['key.create', 'keys', 'key.revoke', 'key.create']
      for (const [second, action] of actions.entries()) await audit.begin(entry(second, action, `t${second}`))
      const first = await audit.list({ limit: 3 })
      const rest = await audit.list({ limit: 3, cursor: first.next ?? '' })
      expect([...first.items, ...rest.items].map(({ target }) => target)).toEqual(['t3', 't2', 't1', 't0'])
      expect(rest.next).toBeNull()
      const targets = async (filter: object) =>
        (await audit.list({ ...filter, limit: 9 })).items.map(({ target }) => target)
      expect(await targets({ action: 'key' })).toEqual(['t3', 't2', 't0'])
      expect(await targets({ action: 'key.create' })).toEqual(['t3', 't0'])
      expect(await targets({ target: 't1' })).toEqual(['t1'])
    })
  })
}
