import type { ProducersList } from '../../projections/hand-back.ts'
import { inListSlot, LIST } from './bridge.ts'
import type { RedisConnection } from './connection.ts'

/** Nobody asks again about a task that was given back so long ago. */
const MARK_S = 30 * 86_400

/** The list that the platform's producers push their tasks to, from which another worker may take them. */
export const producersList = (redis: RedisConnection): ProducersList => ({
  giveBack: async (key, task) => {
    await redis.run('hand_back', [LIST, inListSlot(`returned:${key}`)], [Buffer.from(task), MARK_S])
  },
})
