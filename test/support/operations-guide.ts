import { readFileSync } from 'node:fs'
import { join } from 'node:path'

/** The text of docs/operations.md. */
export const GUIDE = readFileSync(join(import.meta.dirname, '../../docs/operations.md'), 'utf8')

/** The commands below a heading of the guide, with what stands for the placeholders in them. */
export const commandsOf = (heading: string, values: Readonly<Record<string, string>> = {}): string[] => {
  const block = GUIDE.split(`\n## ${heading}\n`)[1]?.match(/^\n```sh\n([\s\S]*?)```/)?.[1]
  if (block === undefined) throw new Error(`docs/operations.md shows no commands for ${heading}`)
  const filled = block.replaceAll(/\b[A-Z]{5,}\b/g, (name) => values[name] ?? name)
  return filled.trim().split('\n')
}
