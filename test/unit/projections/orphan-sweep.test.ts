import { describe, expect, it } from 'vitest'
import { parseMessage } from '../../../src/events/command.ts'
import type { Environment } from '../../../src/machines/ports/environment.ts'
import { OrphanSweep } from '../../../src/projections/orphan-sweep.ts'
import type { OrphanRow } from '../../../src/projections/orphans.ts'
import { quietEnvironment } from '../../support/environment.ts'
import { sessionId, store, user } from '../../support/facts.ts'

const NOW = Date.UTC(2026, 5, 1, 12)
const MINUTE_MS = 60_000
const at = (ms: number) => new Date(ms).toISOString()
const row: OrphanRow = { sessionId, owner: store, requestId: 'req_1' }

const sweeping = (
  mode: 'settle' | 'show' | 'off',
  waitingSince: number | null = null,
  paths: readonly string[] = [],
) => {
  const seen = { before: [] as string[], published: [] as unknown[], noted: [] as string[] }
  const clock: Environment['clock'] = { now: () => NOW, sleep: async () => undefined }
  const sweep = new OrphanSweep({
    orphans: {
      rows: async ({ before }) => {
        seen.before.push(before)
        return [row, { sessionId, owner: user, requestId: null }]
      },
      noteObjects: async (results, _, last) => {
        seen.noted.push(...results.map(({ path }) => path), `last: ${last}`)
      },
    },
    log: {
      partitions: 4,
      publish: async (messages) => {
        seen.published.push(...messages.map(({ bytes, source }) => parseMessage(bytes, source)))
      },
    },
    objects: {
      async *list(folder) {
        for (const path of paths) if (path.startsWith(folder)) yield { path, storedAtMs: NOW - 1.5 }
      },
    },
    oldestWaiting: async () => waitingSince,
    env: quietEnvironment(clock),
    mode,
  })
  return { sweep, seen }
}

describe('the sweep of orphans', () => {
  it('asks for each row to be given up, in the name of the runtime', async () => {
    const { sweep, seen } = sweeping('settle')
    await sweep.look()
    expect(seen.before).toEqual([at(NOW - 15 * MINUTE_MS)])
    expect(seen.published).toEqual([
      { command: 'generation.give_up', by: { role: 'runtime' }, ...row },
      { command: 'generation.give_up', by: { role: 'runtime' }, sessionId, owner: user, requestId: null },
    ])
  })

  it('judges nothing that is not older than the oldest task that waits before the log', async () => {
    const { sweep, seen } = sweeping('settle', NOW - 60 * MINUTE_MS)
    await sweep.look()
    expect(seen.before).toEqual([at(NOW - 75 * MINUTE_MS)])
    const unsaid = sweeping('settle', 0)
    await unsaid.sweep.look()
    expect(unsaid.seen.before).toEqual([at(0)])
  })

  it('only looks when it is told to show, and not even that when it is off', async () => {
    const shown = sweeping('show')
    await shown.sweep.look()
    expect([shown.seen.before.length, shown.seen.published]).toEqual([1, []])
    const off = sweeping('off')
    await off.sweep.look()
    expect(off.seen).toEqual({ before: [], published: [], noted: [] })
  })

  it('notes results, and no other object', async () => {
    const result = `stores/${store.storeId}/generated/${sessionId}.jpg`
    const { sweep, seen } = sweeping('show', null, [result, 'uploads/picture', 'generated/x/picture.jpg'])
    await sweep.look()
    expect(seen.noted).toEqual([result, 'last: true'])
  })
})
