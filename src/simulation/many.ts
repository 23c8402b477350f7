import { Worker } from 'node:worker_threads'
import type { SimulationReport } from './simulate.ts'

export interface ManyReport {
  readonly seeds: number
  /** How the accepted sessions of all runs ended, by their last fact. */
  readonly ends: Readonly<Record<string, number>>
  readonly failures: readonly SimulationReport[]
}

/** So many seeds are handed to a thread at once: a thread that dies says which. */
const BATCH = 20

/** Runs the seeds `from`, `from + 1`, … over several threads. Rejects when a thread dies. */
export const simulateMany = async (
  { from, seeds, workers }: { from: number; seeds: number; workers: number },
  onProgress: (done: number, failures: readonly SimulationReport[]) => void = () => {},
): Promise<ManyReport> => {
  const ends: Record<string, number> = {}
  const failures: SimulationReport[] = []
  let next = from
  let done = 0
  const end = from + seeds
  const runThread = async () => {
    const thread = new Worker(new URL('./seed-worker.ts', import.meta.url))
    try {
      while (next < end) {
        const batch = Array.from({ length: Math.min(BATCH, end - next) }, (_, index) => next + index)
        next += batch.length
        for (const report of await ask(thread, batch)) {
          for (const [name, count] of Object.entries(report.ends)) ends[name] = (ends[name] ?? 0) + count
          if (report.violations.length > 0) failures.push(report)
        }
        done += batch.length
        onProgress(done, failures)
      }
    } finally {
      await thread.terminate()
    }
  }
  await Promise.all(Array.from({ length: workers }, runThread))
  return { seeds, ends, failures: failures.toSorted((a, b) => a.seed - b.seed) }
}

const ask = (thread: Worker, seeds: readonly number[]): Promise<SimulationReport[]> =>
  new Promise((resolve, reject) => {
    thread.removeAllListeners()
    thread.once('message', resolve)
    thread.once('error', reject)
    thread.once('exit', (code) =>
      reject(new Error(`the thread of seeds ${seeds[0]} to ${seeds.at(-1)} ended with ${code}`)),
    )
    thread.postMessage(seeds)
  })
