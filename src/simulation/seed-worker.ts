import { parentPort } from 'node:worker_threads'
import { simulate } from './simulate.ts'

/** A thread that runs the seeds it is sent and answers with their reports. */
parentPort?.on('message', (seeds: readonly number[]) => {
  void run(seeds)
})

const run = async (seeds: readonly number[]): Promise<void> => {
  const reports = []
  for (const seed of seeds) reports.push(await simulate(seed))
  parentPort?.postMessage(reports)
}
