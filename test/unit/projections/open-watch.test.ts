import { expect, it } from 'vitest'
import { OpenWatch } from '../../../src/projections/open-watch.ts'
import type { OpenSessions } from '../../../src/projections/queries.ts'
import { recordedEnvironment } from '../../support/project-memory.ts'

it('shows how many sessions are under way and how old the oldest is, and zero again when they are gone', async () => {
  const { environment } = recordedEnvironment()
  const gauges: Record<string, number> = {}
  const meter = {
    ...environment.meter,
    gauge: (name: string, value: number, labels?: Readonly<Record<string, string>>) => {
      gauges[`${name} ${labels?.['state']}`] = value
    },
  }
  const clock = { ...environment.clock, now: () => Date.UTC(2026, 0, 1, 0, 1) }
  const answers: OpenSessions[][] = [[{ state: 'queued', count: 3, oldest: '2026-01-01T00:00:00.000Z' }], []]
  const watch = new OpenWatch({ openSessions: async () => answers.shift() ?? [] }, { clock, meter })
  await watch.look()
  expect(gauges).toMatchObject({ 'sessions_open queued': 3, 'sessions_oldest_seconds queued': 60 })
  await watch.look()
  expect(gauges).toEqual({
    'sessions_open queued': 0,
    'sessions_oldest_seconds queued': 0,
    'sessions_open processing': 0,
    'sessions_oldest_seconds processing': 0,
  })
})
