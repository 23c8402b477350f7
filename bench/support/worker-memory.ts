import type { RedisServer } from '../../test/support/redis-server.ts'
import { openOnRedis, PARTITIONS } from '../contenders/redis-log.ts'
import { newTasks, publishAll } from './task.ts'
import { countTo, within } from './within.ts'
import { WorkerPool } from './worker-pool.ts'

/**
 * The most that a worker process holds in memory, MB, while it works so many sessions that come from another process. Its program has
 * been started before: reading TypeScript without compiled code takes Node some 20 MB more.
 */
export const workerRssMb = async (server: RedisServer, sessions: number): Promise<number> => {
  server.cli('flushall')
  const { log, close } = await openOnRedis(server.url)
  await startOnce(server)
  const pool = new WorkerPool(1)
  try {
    const [worker] = await pool.join(1, server.url, PARTITIONS)
    if (worker === undefined) throw new Error('no worker joined')
    const ends = countTo(1)
    worker.onReport(() => (worker.ended >= sessions ? ends.add() : undefined))
    await publishAll(log, newTasks(sessions))
    await within(ends.reached, 'end of all sessions in the worker')
    return worker.rssMb
  } finally {
    await pool.stop()
    await close()
  }
}

const startOnce = async (server: RedisServer): Promise<void> => {
  const pool = new WorkerPool(1)
  const [worker] = await pool.join(1, server.url, PARTITIONS)
  await worker?.leave()
  await pool.stop()
}
