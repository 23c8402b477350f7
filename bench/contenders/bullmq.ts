import { setTimeout as sleep } from 'node:timers/promises'
import { Queue, Worker } from 'bullmq'
import { task } from '../lifecycle.ts'
import { BATCH, CONCURRENCY, type Contender } from './contender.ts'

/** As many completed jobs stay as our tombstones do in a partition. */
const KEPT = { count: 1_000 }

/** BullMQ with the same task as its data and a processor that does nothing. */
export const bullmq: Contender = {
  name: 'BullMQ',
  throughput: (url, sessions) =>
    withQueue(url, async (queue, onCompleted) => {
      const jobs = Array.from({ length: sessions }, jobOf)
      const completed = Promise.withResolvers<void>()
      let left = sessions
      onCompleted(() => (--left === 0 ? completed.resolve() : undefined))
      const startedAt = performance.now()
      for (let from = 0; from < jobs.length; from += BATCH) await queue.addBulk(jobs.slice(from, from + BATCH))
      await completed.promise
      return performance.now() - startedAt
    }),
  latencies: (url, sessions, everyMs) =>
    withQueue(url, async (queue, onCompleted) => {
      const submittedAt = new Map<string, number>()
      const tookMs: number[] = []
      const completed = Promise.withResolvers<void>()
      onCompleted((id) => {
        tookMs.push(performance.now() - (submittedAt.get(id) ?? 0))
        if (tookMs.length === sessions) completed.resolve()
      })
      for (let index = 0; index < sessions; index++) {
        const job = jobOf()
        submittedAt.set(job.opts.jobId, performance.now())
        await queue.add(job.name, job.data, job.opts)
        await sleep(everyMs)
      }
      await completed.promise
      return tookMs
    }),
}

const jobOf = () => {
  const { id, bytes } = task()
  const data = JSON.parse(Buffer.from(bytes).toString()) as object
  return { name: 'generate', data, opts: { jobId: `s-${id}`, removeOnComplete: KEPT } }
}

const withQueue = async <Result>(
  url: string,
  work: (queue: Queue, onCompleted: (listener: (id: string) => void) => void) => Promise<Result>,
): Promise<Result> => {
  let listener: (id: string) => void = () => {}
  const connection = { url, maxRetriesPerRequest: null }
  const queue = new Queue('bench', { connection })
  const worker = new Worker<{ session_id: string }>(
    'bench',
    async ({ data }) => ({ path: `generated/${data.session_id}.jpg` }),
    {
      connection,
      concurrency: CONCURRENCY,
    },
  )
  worker.on('completed', ({ id }) => listener(id ?? ''))
  worker.on('error', (error) => console.error(error))
  await worker.waitUntilReady()
  const result = await work(queue, (given) => {
    listener = given
  })
  await worker.close()
  await queue.close()
  return result
}
