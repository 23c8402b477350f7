import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { z } from 'zod'
import type { Figures } from './figures.ts'

const PROGRAM = join(import.meta.dirname, '../run.ts')
const Line = z.looseObject({ bench: z.string() }).catchall(z.union([z.number(), z.string()]))

/** Runs a benchmark in a process of its own, prints what it prints, and answers its figures. @throws Error when it failed */
export const runAlone = async (name: string): Promise<Figures> => {
  const child = spawn(process.execPath, [...process.execArgv, PROGRAM, name, '--json'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const exited = once(child, 'exit')
  let last = ''
  for await (const line of createInterface({ input: child.stdout })) {
    if (last !== '') console.log(last)
    last = line
  }
  const [code] = (await exited) as [number | null]
  if (code !== 0) throw new Error(`the benchmark ${name} ended with ${code}: ${last}`)
  const { bench: _, ...figures } = Line.parse(JSON.parse(last))
  return z.record(z.string(), z.number()).parse(figures)
}
