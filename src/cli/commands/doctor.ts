import { type Command, Option } from 'commander'
import type { Diagnosis } from '../../machines/ports/diagnosis.ts'
import { wholeNumber } from '../numbers.ts'
import { type Json, printsJson } from '../options.ts'
import { styled } from '../text.ts'

interface DoctorOptions extends Json {
  /** Seconds. */
  readonly timeout: number
}

/** `wearon doctor`: what is wrong, and what to do. */
export const addDoctor = (program: Command): void => {
  const doctor = program
    .command('doctor')
    .description('look at configuration, servers, clocks, migrations, keys and disk; exit 1 when something fails')
    .addOption(new Option('--timeout <seconds>', 'how long each part may take').default(5).argParser(wholeNumber))
  printsJson(doctor).action(tellAll)
}

const tellAll = async ({ timeout, json }: DoctorOptions): Promise<void> => {
  // As in `start`: it brings every adapter along.
  const { examine } = await import('../../app/doctor.ts')
  const found = await examine(timeout * 1_000)
  const well = found.every(({ verdict }) => verdict !== 'fail')
  console.log(json ? JSON.stringify({ ok: well, checks: found }) : found.map(lineOf).join('\n'))
  // What did not answer in time may hold a connection still.
  process.exit(well ? 0 : 1)
}

const STYLES = { ok: 'green', warn: 'yellow', fail: 'red' } as const
const WIDTH = 18

const lineOf = ({ about, verdict, says, remedy }: Diagnosis): string =>
  `${styled(STYLES[verdict], verdict.padEnd(5))} ${about.padEnd(WIDTH)} ${says}${remedy === null ? '' : `: ${remedy}`}`
