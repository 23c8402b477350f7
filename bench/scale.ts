import { availableParallelism } from 'node:os'
import { type RedisServer, startRedis } from '../test/support/redis-server.ts'
import { openOnRedis } from './contenders/redis-log.ts'
import type { Benchmark, Figures } from './support/figures.ts'
import { measureRounds } from './support/rounds.ts'
import { newTasks, publishAll } from './support/task.ts'
import { countTo, within } from './support/within.ts'
import { WorkerPool } from './support/worker-pool.ts'

const PROCESSES = [1, 2, 4]
const PARTITIONS = [16, 64, 256]
const SESSIONS = 8_000
const ROUNDS = 5

interface Shape {
  readonly name: string
  readonly processes: number
  readonly partitions: number
}

/** The lifecycle on Redis, worked by several processes, the tasks coming from one more. */
export const scale: Benchmark = async () => {
  const cores = availableParallelism()
  console.log(`${cores} cores for the workers, the producer and Redis: more processes than cores make nothing faster`)
  const server = await startRedis()
  const pool = new WorkerPool(Math.max(...PROCESSES))
  try {
    const figures: [string, number][] = []
    for (const partitions of PARTITIONS) {
      const shapes = PROCESSES.map(
        (processes): Shape => ({ name: `${processes} x ${partitions}`, processes, partitions }),
      )
      const rates = await measureRounds(shapes, { rounds: ROUNDS, unit: 'sessions/s' }, (shape, warmUp) =>
        rateOf(shape, server, pool, warmUp ? SESSIONS / 4 : SESSIONS),
      )
      for (const shape of shapes)
        figures.push([`processes_${shape.processes}_partitions_${partitions}`, rates.median(shape)])
    }
    return Object.fromEntries(figures) satisfies Figures
  } finally {
    await pool.stop()
    await server.stop()
  }
}

const rateOf = async (
  { processes, partitions }: Shape,
  server: RedisServer,
  pool: WorkerPool,
  sessions: number,
): Promise<number> => {
  server.cli('flushall')
  const { log, close } = await openOnRedis(server.url, partitions)
  const workers = await pool.join(processes, server.url, partitions)
  const ends = countTo(sessions)
  for (const worker of workers) {
    let before = worker.ended
    worker.onReport(() => {
      ends.add(worker.ended - before)
      before = worker.ended
    })
  }
  const tasks = newTasks(sessions)
  const startedAt = performance.now()
  await publishAll(log, tasks)
  await within(ends.reached, 'end of all sessions')
  const rate = (sessions / (performance.now() - startedAt)) * 1000
  await Promise.all(workers.map((worker) => worker.leave()))
  await close()
  return rate
}
