import { idle } from './idle.ts'
import { lifecycle } from './lifecycle-redis.ts'
import { memory } from './memory.ts'

/** Each benchmark prints a table, and with `--json` one JSON line at its end. */
const benchmarks: Readonly<Record<string, (options: { json: boolean }) => Promise<void>>> = {
  memory,
  idle,
  lifecycle,
}

const [name, ...flags] = process.argv.slice(2)
const benchmark = benchmarks[name ?? '']
if (benchmark === undefined) {
  console.error(`usage: npm run bench -- ${Object.keys(benchmarks).join('|')} [--json]`)
  process.exitCode = 2
} else {
  await benchmark({ json: flags.includes('--json') })
}
