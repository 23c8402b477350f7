import type { ApiKeys, Audit, KeptKey } from '../../projections/api-keys.ts'
import { newestFirst } from './paging.ts'
import type { StoreState } from './store-state.ts'

export const memoryApiKeys = ({ apiKeys }: StoreState): ApiKeys => {
  const change = (id: string, with_: (key: KeptKey) => Partial<KeptKey>): KeptKey | null => {
    const known = apiKeys.get(id)
    if (known === undefined) return null
    const changed = { ...known, ...with_(known) }
    apiKeys.set(id, changed)
    return changed
  }
  return {
    create: async (key) => {
      if (apiKeys.has(key.id)) throw new Error(`there is a key ${key.id} already`)
      apiKeys.set(key.id, { ...key, lastUsedAt: null, revokedAt: null })
    },
    find: async (id) => apiKeys.get(id) ?? null,
    any: async () => apiKeys.size > 0,
    list: async (limit) =>
      [...apiKeys.values()]
        .toSorted((a, b) => Date.parse(b.createdAt) - Date.parse(a.createdAt) || (a.id < b.id ? -1 : 1))
        .slice(0, limit),
    revoke: async (id, at) => change(id, ({ revokedAt }) => ({ revokedAt: revokedAt ?? at })),
    used: async (id, at) => {
      change(id, ({ lastUsedAt }) => ({ lastUsedAt: lastUsedAt !== null && lastUsedAt >= at ? lastUsedAt : at }))
    },
  }
}

export const memoryAudit = ({ audit }: StoreState): Audit => ({
  begin: async (entry) => {
    if (!audit.has(entry.id)) audit.set(entry.id, { ...entry, outcome: null })
  },
  end: async (id, outcome) => {
    const known = audit.get(id)
    if (known?.outcome === null) audit.set(id, { ...known, outcome })
  },
  list: async ({ action, target, cursor, limit }) => {
    const rows = [...audit.values()]
      .filter((row) => action === undefined || row.action === action || row.action.startsWith(`${action}.`))
      .filter((row) => target === undefined || row.target === target)
      .map((row) => ({ row, place: { time: row.at, id: row.id } }))
    return newestFirst(rows, cursor, limit)
  },
})
