import { parseArgs } from 'node:util'
import { z } from 'zod'

const USAGE = `usage: npm run chaos -- [--log redis|kafka|postgres] [--sessions 2000] [--seed N] [--seeds 1]
                        [--partitions 16] [--faults all|few] [--json]
       npm run chaos -- --plot
  --seeds     this many seeds, one after the other, from --seed on
  --plot      the script of three processes, drawn to docs/three-processes.svg`

const Options = z.object({
  log: z.enum(['redis', 'kafka', 'postgres']),
  sessions: z.coerce.number().int().min(1).max(100_000),
  seed: z.coerce.number().int().min(0),
  seeds: z.coerce.number().int().min(1).max(1_000),
  partitions: z.coerce.number().int().min(1).max(256),
  faults: z.enum(['all', 'few']),
  json: z.boolean(),
  plot: z.boolean(),
})
export type Options = z.infer<typeof Options>

/** What the command line asks for, or how it is to be asked. */
export const readOptions = (args: readonly string[]): Options | { readonly usage: string } => {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        log: { type: 'string', default: 'redis' },
        sessions: { type: 'string', default: '2000' },
        seed: { type: 'string', default: `${Date.now() % 1_000_000}` },
        seeds: { type: 'string', default: '1' },
        partitions: { type: 'string', default: '16' },
        faults: { type: 'string', default: 'all' },
        json: { type: 'boolean', default: false },
        plot: { type: 'boolean', default: false },
      },
    })
    return Options.parse(values)
  } catch (error) {
    if (error instanceof z.ZodError) return { usage: `${z.prettifyError(error)}\n${USAGE}` }
    return { usage: `${error instanceof Error ? error.message : String(error)}\n${USAGE}` }
  }
}
