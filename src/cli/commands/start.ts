import type { Command } from 'commander'
import type { Json } from '../options.ts'

/** `wearon start`: the server, until Ctrl-C. */
export const addStart = (program: Command): void => {
  const start = program
    .command('start')
    .description('run the server; the environment chooses everything (.env.example)')
    .option('--json', 'log in JSON also on a terminal')
  start.action(async ({ json = false }: Json) => {
    // Every other command is there at once without what a server needs.
    const { serve } = await import('../../app/serve.ts')
    await serve({}, { json })
  })
}
