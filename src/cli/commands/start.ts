import type { Command } from 'commander'
import { serve } from '../../app/serve.ts'

/** `wearon start`: the server, until Ctrl-C. */
export const addStart = (program: Command): void => {
  program
    .command('start')
    .description('run the server; the environment chooses everything (.env.example)')
    .action(() => serve())
}
