import { setTimeout as sleep } from 'node:timers/promises'
import type { Contender, Opened } from '../contenders/contender.ts'
import { load, quantile } from './figures.ts'
import { newTask } from './task.ts'
import { countTo, within } from './within.ts'

/** 100 a second. */
const EVERY_MS = 10
/** The first two seconds of a slice meet new connections and cold code; they are not counted. */
const WARM_UP = 200

/** From the submission of a session until its end is durable, ms. */
export interface Latencies {
  p50(one: Contender): number
  p99(one: Contender): number
}

/** Sessions at 100 a second in slices of some seconds, the contenders in turn, so that all meet the same machine. */
export const measureLatencies = async (
  contenders: readonly Contender[],
  { slices, sessions }: { slices: number; sessions: number },
): Promise<Latencies> => {
  const took = new Map<Contender, number[]>(contenders.map((one) => [one, []]))
  for (let slice = 0; slice < slices; slice++) {
    const first = slice % contenders.length
    for (const one of [...contenders.slice(first), ...contenders.slice(0, first)])
      took.get(one)?.push(...(await measureSlice(one, sessions)))
  }
  const result: Latencies = {
    p50: (one) => quantile(took.get(one) ?? [], 0.5),
    p99: (one) => quantile(took.get(one) ?? [], 0.99),
  }
  for (const one of contenders) {
    const [p50, p99] = [result.p50(one), result.p99(one)].map((ms) => ms.toFixed(2))
    console.log(`${one.name} at 100/s: p50 ${p50} ms, p99 ${p99} ms of ${took.get(one)?.length} sessions (${load()})`)
  }
  return result
}

const measureSlice = async (contender: Contender, sessions: number): Promise<number[]> => {
  const opened = await contender.open()
  try {
    return (await submitEvenly(opened, WARM_UP + sessions)).slice(WARM_UP)
  } finally {
    await opened.close()
  }
}

const submitEvenly = async (opened: Opened, sessions: number): Promise<number[]> => {
  const tookMs: number[] = []
  const submittedAt = new Map<string, number>()
  const ends = countTo(sessions)
  opened.onEnd((id) => {
    tookMs.push(performance.now() - (submittedAt.get(id) ?? Number.NaN))
    ends.add()
  })
  const startedAt = performance.now()
  const submissions: Promise<void>[] = []
  for (let index = 0; index < sessions; index++) {
    const task = newTask()
    const submit = await opened.prepare([task])
    await sleep(Math.max(0, startedAt + index * EVERY_MS - performance.now()))
    submittedAt.set(task.id, performance.now())
    submissions.push(submit())
  }
  await Promise.all(submissions)
  await within(ends.reached, 'end of all sessions')
  return tookMs
}
