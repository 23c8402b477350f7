// Run as a process of its own: publishes so many tasks of one tenant to the log in Redis, and ends.
import { randomUUID } from 'node:crypto'
import { openOnRedis } from '../contenders/redis-log.ts'
import { BATCH, newTasks, publishAll } from '../support/task.ts'

const [url = '', count = ''] = process.argv.slice(2)
const tenant = randomUUID()
const { log, close } = await openOnRedis(url)
for (let left = Number(count); left > 0; left -= BATCH) await publishAll(log, newTasks(Math.min(left, BATCH), tenant))
await close()
