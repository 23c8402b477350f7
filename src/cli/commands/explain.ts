import { availableParallelism } from 'node:os'
import type { Command } from 'commander'
import { chartPage } from '../../machines/chart.ts'
import { type SessionTable, sessionTable } from '../../machines/compile.ts'
import { sessionMachine } from '../../machines/session.ts'
import { simulateMany } from '../../simulation/many.ts'
import type { SimulationReport } from '../../simulation/simulate.ts'
import { CommandFailed } from '../client.ts'
import { type Json, printsJson } from '../options.ts'
import { progressBar } from '../progress.ts'

/** `wearon chart`: the life of a session, as Markdown. */
export const addChart = (program: Command): void => {
  const chart = program.command('chart').description("print the session machine's chart")
  printsJson(chart).action(({ json }: Json) =>
    console.log(json ? JSON.stringify({ states: statesOf(sessionTable) }) : chartPage(sessionMachine)),
  )
}

/** Each state with what it owes, and where the facts that it accepts may lead. */
const statesOf = ({ states }: SessionTable): object[] =>
  [...states].map(([state, { owes, closed, on }]) => ({
    state,
    owes,
    closed,
    on: Object.fromEntries([...on].map(([fact, branches]) => [fact, branches.map(({ target }) => target)])),
  }))

interface SimOptions extends Json {
  readonly seeds: string
  readonly seed?: string
}

/** `wearon sim`: the whole system in simulated time, under faults. */
export const addSim = (program: Command): void => {
  const sim = program
    .command('sim')
    .description('run the whole system in simulated time, under faults, once per seed; exit 1 when a promise is broken')
    .option('--seeds <number>', 'how many seeds, from 1 on', '200')
    .option('--seed <number>', 'the first seed; alone: only this one')
  printsJson(sim).action(simulateSeeds)
}

const simulateSeeds = async ({ seeds, seed, json }: SimOptions, command: Command): Promise<void> => {
  const only = seed !== undefined && command.getOptionValueSource('seeds') === 'default'
  const from = wholeNumber('--seed', seed ?? '1')
  const count = only ? 1 : wholeNumber('--seeds', seeds)
  const workers = Math.min(availableParallelism(), count)
  const bar = progressBar('seeds')
  const startedAt = performance.now()
  const { ends, failures } = await simulateMany({ from, seeds: count, workers }, (done) => bar.at(done, count))
  const ms = performance.now() - startedAt
  bar.end()
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
