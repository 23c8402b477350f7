import { expect, it } from 'vitest'
import { LagWatch } from '../../../src/projections/lag-watch.ts'
import { completed, requested, START_MS, started } from '../../support/facts.ts'
import { journalsAndStore, recordedEnvironment } from '../../support/project-memory.ts'
import { Chain, factsOf, LOG, newSession } from '../../support/store-world.ts'

it('says how many facts a projection is behind, and how old the first of them is', async () => {
  const { clock, environment } = recordedEnvironment()
  const { store } = journalsAndStore(clock)
  const gauges: Record<string, number> = {}
  const gauge = (name: string, value: number, labels = {}) => {
    gauges[[name, ...Object.values(labels)].join(' ')] = value
  }
  const now = () => START_MS + 12_000
  const env = { ...environment, clock: { ...clock, now }, meter: { ...environment.meter, gauge } }
  const watch = new LagWatch(['sessions', 'refunds'], store, env)
  await watch.look()
  expect(gauges).toMatchObject({ 'projection_lag_facts sessions': 0, 'projection_lag_seconds sessions': 0 })
  await store.archive.append(LOG, [new Chain().step(...factsOf(newSession(), [requested(), started(), completed()]))])
  await store.tables.apply('sessions', 0, 1, [])
  await store.tables.apply('refunds', 0, 3, [])
  await watch.look()
  expect(gauges).toEqual({
    'projection_lag_facts sessions': 2,
    'projection_lag_seconds sessions': 10,
    'projection_lag_facts refunds': 0,
    'projection_lag_seconds refunds': 0,
  })
})
