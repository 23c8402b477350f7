import { expect, it } from 'vitest'
import type { PartitionBacklog } from '../../../src/machines/runtime/partition-status.ts'
import { BacklogWatch } from '../../../src/projections/backlog-watch.ts'

it('says of each partition that is held what is unread and what is not archived, and of one that was let go nothing', async () => {
  const gauges: Record<string, number> = {}
  const meter = {
    count: () => {},
    observe: () => {},
    gauge: (name: string, value: number, labels = {}) => {
      gauges[[name, ...Object.values(labels)].join(' ')] = value
    },
  }
  let held: readonly PartitionBacklog[] = [
    { partition: 3, unread: 7, head: 12 },
    { partition: 5, unread: 0, head: 2 },
  ]
  const archive = { heads: async () => new Map([[3, { number: 9, id: 'step 9', log: 'log' }]]) }
  const watch = new BacklogWatch({ backlogs: async () => held }, archive, { meter })
  await watch.look()
  expect(gauges).toEqual({
    'partition_unread_messages 3': 7,
    'partition_unarchived_steps 3': 3,
    'partition_unread_messages 5': 0,
    'partition_unarchived_steps 5': 2,
  })
  held = [{ partition: 5, unread: null, head: 4 }]
  await watch.look()
  expect(gauges).toMatchObject({ 'partition_unread_messages 5': 0, 'partition_unarchived_steps 5': 4 })
  held = [{ partition: 5, unread: 1, head: 2 }]
  await watch.look()
  expect(gauges).toEqual({
    'partition_unread_messages 3': 0,
    'partition_unarchived_steps 3': 0,
    'partition_unread_messages 5': 1,
    'partition_unarchived_steps 5': 2,
  })
})
