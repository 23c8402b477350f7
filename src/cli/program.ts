import { Command } from 'commander'
import { addBackfill } from './commands/backfill.ts'
import { addReconcile, addRefunds } from './commands/books.ts'
import { addCompletion } from './commands/completion.ts'
import { addDead } from './commands/dead.ts'
import { addDemo } from './commands/demo.ts'
import { addDoctor } from './commands/doctor.ts'
import { addErase } from './commands/erase.ts'
import { addChart, addSim } from './commands/explain.ts'
import { addHandback } from './commands/handback.ts'
import { addKeys } from './commands/keys.ts'
import { addMigrate } from './commands/migrate.ts'
import { addOperating } from './commands/operate.ts'
import { addOrphans } from './commands/orphans.ts'
import { addPauses } from './commands/pauses.ts'
import { addPublish } from './commands/publish.ts'
import { addReaders } from './commands/readers.ts'
import { addReplay } from './commands/replay.ts'
import { addSessions } from './commands/sessions.ts'
import { addStart } from './commands/start.ts'

/** The command line: every command with its options, in the order in which help shows them. */
export const newProgram = (): Command => {
  const program = new Command('wearon')
    .description('Runs try-on sessions, and shows and mends what they did.')
    .showHelpAfterError('(wearon --help lists the commands)')
    .configureHelp({ sortSubcommands: false })
    .exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : 2))
  for (const add of commands) add(program)
  return program
}

const commands = [
  addStart,
  addDoctor,
  addDemo,
  addMigrate,
  addPublish,
  addSessions,
  addRefunds,
  addReconcile,
  addBackfill,
  addOrphans,
  addErase,
  addOperating,
  addPauses,
  addHandback,
  addDead,
  addReaders,
  addKeys,
  addReplay,
  addSim,
  addChart,
  addCompletion,
]
