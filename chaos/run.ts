import { writeFile } from 'node:fs/promises'
import { type Options, readOptions } from './options.ts'
import { drawPlot } from './plot.ts'
import { jsonOf, reportOf, tableOf } from './report.ts'
import { type ChaosOutcome, runChaos } from './scenario.ts'
import { runThreeProcesses } from './three-processes.ts'

/** Runs seed after seed; answers whether every promise held. */
const runSeeds = async ({ seeds, seed: first, json, ...rest }: Options): Promise<boolean> => {
  const outcomes: ChaosOutcome[] = []
  const tell = (line: string) => (json ? console.error(line) : console.log(line))
  for (let seed = first; seed < first + seeds; seed++) {
    tell(`seed ${seed} on ${rest.log}: ${rest.sessions} sessions`)
    const outcome = await runChaos({ ...rest, seed, say: (line) => tell(`  ${line}`) })
    outcomes.push(outcome)
    tell(reportOf(outcome))
    if (json) console.log(jsonOf(outcome))
  }
  if (seeds > 1) tell(tableOf(outcomes))
  return outcomes.every(({ violations }) => violations.length === 0)
}

const PLOT = new URL('../docs/three-processes.svg', import.meta.url)
const SCRIPT = { partitions: 16, paceMs: 8_000, perSecond: 60 }

/** Plays the script of three processes and draws it; answers whether every promise held. */
const plotThree = async ({ seed }: Options): Promise<boolean> => {
  const { violations, timeline, underWay, holds, stuck } = await runThreeProcesses({ seed, ...SCRIPT })
  await writeFile(PLOT, drawPlot(timeline))
  for (const { after, partitions } of holds) console.log(`${after}: ${JSON.stringify(partitions)}`)
  console.log(`seed ${seed}: ${underWay} tries were under way at an event, ${violations.length} promises were broken`)
  for (const one of [...violations.map(({ about, what }) => `${about}: ${what}`), ...stuck]) console.log(`  ${one}`)
  return violations.length === 0 && stuck.length === 0
}

const options = readOptions(process.argv.slice(2))
if ('usage' in options) {
  console.error(options.usage)
  process.exitCode = 2
} else if (!(await (options.plot ? plotThree(options) : runSeeds(options)))) {
  process.exitCode = 1
}
