import { Argument, type Command } from 'commander'
import { completionScript, placesOf, SHELLS, type Shell } from '../completion.ts'
import { type Json, printsJson } from '../options.ts'

/** `wearon completion`: for a shell to complete what is typed. */
export const addCompletion = (program: Command): void => {
  const completion = program
    .command('completion')
    .description("print a script that makes a shell complete these commands; with --json the commands' tree")
    .addArgument(new Argument('<shell>', 'of this shell').choices(SHELLS))
  printsJson(completion).action((shell: Shell, { json }: Json) => {
    const places = placesOf(program)
    console.log(
      json ? JSON.stringify({ program: program.name(), places }) : completionScript(shell, program.name(), places),
    )
  })
}
