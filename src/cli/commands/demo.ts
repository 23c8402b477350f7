import type { Command } from 'commander'
import { type DemoOptions, runDemo } from '../demo/run.ts'

/** `wearon demo`: a first look, on an embedded database of its own. */
export const addDemo = (program: Command): void => {
  program
    .command('demo')
    .description('see sessions run from task to picture, on an embedded database of its own')
    .option('--person <file>', 'a picture of a person to dress')
    .option('--garment <file>', 'a picture of a garment')
    .option('--keep', 'leave the data folder, to start a server on it')
    .action(async (options: DemoOptions) => {
      if (!(await runDemo(options))) process.exitCode = 1
    })
}
