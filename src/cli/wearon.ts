import { Command } from 'commander'
import { failureOf } from '../app/failure.ts'
import { CommandFailed } from './client.ts'
import { addDemo } from './commands/demo.ts'
import { addStart } from './commands/start.ts'

const program = new Command('wearon')
  .description('Runs try-on sessions, and shows and mends what they did.')
  .showHelpAfterError('(wearon --help lists the commands)')

for (const add of [addStart, addDemo]) add(program)

try {
  await program.parseAsync()
} catch (error) {
  const { exitCode, text } = error instanceof CommandFailed ? { exitCode: 1, text: error.message } : failureOf(error)
  console.error(`wearon: ${text}`)
  process.exitCode = exitCode
}
