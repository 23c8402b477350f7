import type { Command } from 'commander'
import { serve } from '../../app/serve.ts'
import type { Json } from '../options.ts'

/** `wearon start`: the server, until Ctrl-C. */
export const addStart = (program: Command): void => {
  const start = program
    .command('start')
    .description('run the server; the environment chooses everything (.env.example)')
    .option('--json', 'log in JSON also on a terminal')
  start.action(({ json = false }: Json) => serve({}, { json }))
}
