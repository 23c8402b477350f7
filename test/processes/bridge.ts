// Run as a process of its own: bridges tasks from the list to the log with the given prefix, and kills itself where it is told
// to: `moved` (before it publishes its second batch), `published` (after it did), or never.
import { randomUUID } from 'node:crypto'
import { bridgeTasks } from '../../src/adapters/redis/bridge.ts'
import { openConnection } from '../../src/adapters/redis/connection.ts'
import { openRedisLog } from '../../src/adapters/redis/event-log.ts'
import type { EventLog } from '../../src/machines/ports/event-log.ts'
import { BRIDGE_PARTITIONS, BRIDGE_TTL_MS } from '../support/bridge-shape.ts'
import { realClock } from '../support/clock.ts'
import { quietEnvironment } from '../support/environment.ts'

const [url = '', prefix = '', killAt = 'never'] = process.argv.slice(2)
const redis = await openConnection({ url, onWarning: () => undefined })
const newId = () => randomUUID()
const log = await openRedisLog({ redis, prefix, partitions: BRIDGE_PARTITIONS, clock: realClock, newId })
let batches = 0
const deadly: Pick<EventLog, 'publish' | 'partitions'> = {
  partitions: log.partitions,
  publish: async (messages) => {
    batches++
    if (batches === 2 && killAt === 'moved') process.kill(process.pid, 'SIGKILL')
    await log.publish(messages)
    if (batches === 2 && killAt === 'published') process.kill(process.pid, 'SIGKILL')
  },
}
const env = { ...quietEnvironment(realClock), newId }
await bridgeTasks({ redis, log: deadly, env, ttlMs: BRIDGE_TTL_MS }, () => {}, new AbortController().signal)
