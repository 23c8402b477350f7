import type { Command } from 'commander'
import type { DemoOptions } from '../demo/run.ts'
import { type Json, printsJson } from '../options.ts'

/** `wearon demo`: a first look, on an embedded database of its own. */
export const addDemo = (program: Command): void => {
  const demo = program
    .command('demo')
    .description('see sessions run from task to picture, on an embedded database of its own')
    .option('--person <file>', 'a picture of a person to dress')
    .option('--garment <file>', 'a picture of a garment')
    .option('--keep', 'leave the data folder, to start a server on it')
  printsJson(demo).action(async ({ json, ...options }: DemoOptions & Json) => {
    // As in `start`: it brings a whole server along.
    const { runDemo } = await import('../demo/run.ts')
    const result = await runDemo({ ...options, quiet: json === true })
    if (json) console.log(JSON.stringify(result))
    if (result.differences.length > 0) process.exitCode = 1
  })
}
