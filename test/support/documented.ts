import { type ChildProcess, spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

const ROOT = join(import.meta.dirname, '../..')

/** The program that stands below a heading of docs/events.md. */
export const documented = (heading: string): string => {
  const text = readFileSync(join(ROOT, 'docs/events.md'), 'utf8')
  const found = text.split(`\n### ${heading}\n`)[1]?.match(/```js\n([\s\S]*?)```/)?.[1]
  if (found === undefined) throw new Error(`docs/events.md shows no program for ${heading}`)
  return found
}

export interface RunningProgram {
  /** What it has printed so far. */
  readonly lines: readonly string[]
  kill(): Promise<void>
}

export const runProgram = (code: string, env: Readonly<Record<string, string>>): RunningProgram => {
  const child: ChildProcess = spawn(process.execPath, ['--input-type=module', '-e', code], {
    cwd: ROOT,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  let text = ''
  child.stdout?.setEncoding('utf8').on('data', (some: string) => {
    text += some
  })
  return {
    get lines() {
      return text.split('\n').slice(0, -1)
    },
    kill: async () => {
      child.kill('SIGKILL')
      await exited
    },
  }
}
