import { runAlone } from './support/alone.ts'
import type { Benchmark, Figures } from './support/figures.ts'
import { printPromises } from './support/promises.ts'

/** Each loads only what it needs, since some of them measure their own memory. */
const benchmarks: Readonly<Record<string, () => Promise<Benchmark>>> = {
  lifecycle: async () => (await import('./lifecycle.ts')).lifecycle,
  rows: async () => (await import('./rows.ts')).rows,
  projection: async () => (await import('./projection.ts')).projection,
  books: async () => (await import('./books.ts')).books,
  effects: async () => (await import('./effects.ts')).effects,
  prepare: async () => (await import('./prepare.ts')).prepare,
  estimate: async () => (await import('./estimate.ts')).estimate,
  space: async () => (await import('./space.ts')).space,
  backlog: async () => (await import('./backlog.ts')).backlog,
  logs: async () => (await import('./logs.ts')).logs,
  scale: async () => (await import('./scale.ts')).scale,
  memory: async () => (await import('./memory.ts')).memory,
  http: async () => (await import('./http.ts')).http,
  'http-list': async () => (await import('./http-list.ts')).httpList,
  idle: async () => (await import('./idle.ts')).idle,
  pose: async () => (await import('./pose.ts')).pose,
}
/** A part of another one, which can be asked for alone. */
const parts: typeof benchmarks = {
  'estimate-memory': async () => (await import('./estimate-memory.ts')).estimateMemory,
  redis: async () => (await import('./redis.ts')).redis,
  kafka: async () => (await import('./kafka.ts')).kafka,
  'pose-memory': async () => (await import('./pose-memory.ts')).poseMemory,
}

/** One benchmark: whether its promises hold is printed, the exit code says only whether it ran. */
const runOne = async (name: string, open: () => Promise<Benchmark>, json: boolean): Promise<void> => {
  const figures = await (await open())()
  printPromises(new Map([[name, figures]]))
  if (json) console.log(JSON.stringify({ bench: name, ...rounded(figures) }))
}

/** All benchmarks, each in a process of its own; fails when one of the promises does not hold, or one could not be measured. */
const runAll = async (json: boolean): Promise<void> => {
  const all = new Map<string, Figures>()
  for (const name of Object.keys(benchmarks)) {
    console.log(`\n${name}`)
    const figures = await runAlone(name).catch((error: unknown) => {
      console.error(error)
      return {}
    })
    all.set(name, figures)
  }
  console.log('\npromised')
  if (!printPromises(all)) process.exitCode = 1
  if (json) console.log(JSON.stringify(Object.fromEntries(all)))
}

const rounded = (figures: Figures): Figures =>
  Object.fromEntries(Object.entries(figures).map(([name, value]) => [name, Number(value.toFixed(3))]))

const args = process.argv.slice(2)
const json = args.includes('--json')
const [name] = args.filter((arg) => arg !== '--json')
const known = { ...benchmarks, ...parts }
const one = known[name ?? '']
if (name === undefined) await runAll(json)
else if (one !== undefined) await runOne(name, one, json)
else {
  console.error(`usage: npm run bench -- [${Object.keys(known).join('|')}] [--json]`)
  process.exitCode = 2
}
