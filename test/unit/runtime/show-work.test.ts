import { expect, it } from 'vitest'
import { EffectPool } from '../../../src/machines/runtime/effect-pool.ts'
import type { PartitionStatus } from '../../../src/machines/runtime/partition-status.ts'
import { RateShare } from '../../../src/machines/runtime/rate-share.ts'
import { showWork } from '../../../src/machines/runtime/show-work.ts'
import { recordedEnvironment } from '../../support/project-memory.ts'

it('shows partitions by state, the slowest step, and what runs', () => {
  const { environment } = recordedEnvironment()
  const clock = { ...environment.clock, now: () => 10_000 }
  const gauges: Record<string, number> = {}
  const gauge = (name: string, value: number, labels = {}) => {
    gauges[[name, ...Object.values(labels)].join(' ')] = value
  }
  const pool = () => new EffectPool(2, new RateShare(null, clock), clock)
  const generations = pool()
  generations.claim('a')
  const partition = (state: PartitionStatus['state'], steppingSince: number | null) => ({
    partition: 1,
    state,
    damage: null,
    steppingSince,
  })
  const env = { ...environment, clock, meter: { ...environment.meter, gauge } }
  showWork({ env, generations, refunds: pool() }, [
    partition('running', 9_000),
    partition('running', 6_500),
    partition('damaged', null),
  ])
  expect(gauges).toEqual({
    'partitions_held starting': 0,
    'partitions_held running': 2,
    'partitions_held damaged': 1,
    partition_step_seconds: 3.5,
    'effects_running generation': 1,
    'effects_waiting generation': 0,
    'effects_running refund': 0,
    'effects_waiting refund': 0,
  })
})
