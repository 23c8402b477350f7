import { availableParallelism } from 'node:os'
import type { Command } from 'commander'
import { chartPage } from '../../machines/chart.ts'
import { sessionMachine } from '../../machines/session.ts'
import { simulateMany } from '../../simulation/many.ts'
import type { SimulationReport } from '../../simulation/simulate.ts'
import { CommandFailed } from '../client.ts'

/** `wearon chart`: the life of a session, as Markdown. */
export const addChart = (program: Command): void => {
  program
    .command('chart')
    .description("print the session machine's chart")
    .action(() => console.log(chartPage(sessionMachine)))
}

interface SimOptions {
  readonly seeds: string
  readonly seed?: string
  readonly json?: boolean
}

/** `wearon sim`: the whole system in simulated time, under faults. */
export const addSim = (program: Command): void => {
  program
    .command('sim')
    .description('run the whole system in simulated time, under faults, once per seed; exit 1 when a promise is broken')
    .option('--seeds <number>', 'how many seeds, from 1 on', '200')
    .option('--seed <number>', 'the first seed; alone: only this one')
    .option('--json', 'print the result as JSON')
    .action(simulateSeeds)
}

const simulateSeeds = async ({ seeds, seed, json }: SimOptions, command: Command): Promise<void> => {
  const only = seed !== undefined && command.getOptionValueSource('seeds') === 'default'
  const from = wholeNumber('--seed', seed ?? '1')
  const count = only ? 1 : wholeNumber('--seeds', seeds)
  const workers = Math.min(availableParallelism(), count)
  const progress = (done: number) => {
    if (process.stderr.isTTY) process.stderr.write(`\r${done} of ${count} seeds`)
  }
  const startedAt = performance.now()
  const { ends, failures } = await simulateMany({ from, seeds: count, workers }, progress)
  const ms = performance.now() - startedAt
  if (process.stderr.isTTY) process.stderr.write('\r\u001B[2K')
  if (json) console.log(JSON.stringify({ seeds: count, ms: Math.round(ms), ends, failures }))
  else {
    for (const failure of failures) console.log(failureText(failure))
    console.log(`${count} seeds in ${(ms / 1_000).toFixed(1)} s on ${workers} threads, ${rate(count, ms)} seeds/s`)
    console.log(
      `ends: ${Object.entries(ends)
        .map(([end, times]) => `${end} ${times}`)
        .join(', ')}`,
    )
    console.log(failures.length === 0 ? 'every promise held' : `${failures.length} seeds broke a promise`)
  }
  if (failures.length > 0) process.exitCode = 1
}

const rate = (seeds: number, ms: number): string => ((seeds * 1_000) / ms).toFixed(1)

const failureText = ({ seed, violations }: SimulationReport): string =>
  [
    `seed ${seed} (replay: npm run sim -- --seed ${seed})`,
    ...violations.map(({ promise, about, what }) => `  ${promise}: ${about}: ${what}`),
  ].join('\n')

const wholeNumber = (option: string, text: string): number => {
  if (!/^\d{1,9}$/.test(text) || Number(text) === 0) throw new CommandFailed(`${option} takes a whole number from 1 on`)
  return Number(text)
}
