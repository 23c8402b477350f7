import { Queue, Worker } from 'bullmq'
import type { RedisServer } from '../../test/support/redis-server.ts'
import { CONCURRENCY } from '../support/engine.ts'
import { BATCH, type Task } from '../support/task.ts'
import type { Contender } from './contender.ts'

/** As many completed jobs stay as our tombstones do in a partition. */
const KEPT = { count: 1_000 }

/** BullMQ with the same task as its data and a processor that does nothing. */
export const bullmq = (server: RedisServer): Contender => ({
  name: 'BullMQ',
  open: async () => {
    server.cli('flushall')
    const connection = { url: server.url, maxRetriesPerRequest: null }
    const queue = new Queue('bench', { connection })
    const worker = new Worker<Data>('bench', async ({ data }) => ({ path: `generated/${data.session_id}.jpg` }), {
      connection,
      concurrency: CONCURRENCY,
    })
    worker.on('error', (error) => console.error(error))
    await worker.waitUntilReady()
    return {
      prepare: async (tasks) => {
        const jobs = tasks.map(jobOf)
        return async () => {
          for (let from = 0; from < jobs.length; from += BATCH) await queue.addBulk(jobs.slice(from, from + BATCH))
        }
      },
      onEnd: (listener) => worker.on('completed', ({ data }) => listener(data.session_id)),
      close: async () => {
        await worker.close()
        await queue.close()
      },
    }
  },
})

interface Data {
  readonly session_id: string
}

const jobOf = ({ id, bytes }: Task) => ({
  name: 'generate',
  data: JSON.parse(Buffer.from(bytes).toString()) as Data,
  opts: { jobId: `s-${id}`, removeOnComplete: KEPT },
})
