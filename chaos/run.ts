import { type Options, readOptions } from './options.ts'
import { jsonOf, reportOf, tableOf } from './report.ts'
import { type ChaosOutcome, runChaos } from './scenario.ts'

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

const options = readOptions(process.argv.slice(2))
if ('usage' in options) {
  console.error(options.usage)
  process.exitCode = 2
} else if (!(await runSeeds(options))) {
  process.exitCode = 1
}
