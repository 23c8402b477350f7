import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import manifest from '../../package.json' with { type: 'json' }
import { eventually } from './eventually.ts'

const ROOT = join(import.meta.dirname, '../..')
/** Compiled once for all processes of a run, as the program's own commands do it. */
const COMPILED = join(ROOT, 'node_modules/.cache/compiled')
const START_MS = 60_000
/** As the program's own command starts it: without them a process that handles pictures collects garbage half of its time. */
const FLAGS = manifest.scripts.wearon.split(' ').filter((word) => word.startsWith('--'))
/**
 * Compiles WebAssembly once and plainly: a server that lives for seconds never gets back what it takes to compile the embedded
 * database well. The pose engine does, and its processes inherit what theirs was started with.
 */
const SHORT_LIFE = '--liftoff-only'

/** How a process ended, and what it said. */
export interface Ended {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
}

/** A process of the program, with nothing in its environment but what is given here. */
export interface Running {
  readonly child: ChildProcess
  readonly ended: Promise<Ended>
  /** What it has said so far. */
  readonly stdout: () => string
}

/** Runs a file of this project as a process of its own, in the project's folder unless told. */
export const run = (
  file: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
  cwd = ROOT,
): Running => {
  const options = env['POSE'] === 'on' ? FLAGS : [...FLAGS, SHORT_LIFE]
  const child = spawn(process.execPath, [...options, join(ROOT, file), ...args], {
    cwd,
    env: {
      PATH: process.env['PATH'],
      HOME: process.env['HOME'],
      NO_COLOR: '1',
      NODE_COMPILE_CACHE: COMPILED,
      POSE: 'off',
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const said = { stdout: '', stderr: '' }
  child.stdout.setEncoding('utf8').on('data', (text: string) => (said.stdout += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (said.stderr += text))
  const ended = once(child, 'close').then(([code, signal]) => ({
    code: code as number | null,
    signal: signal as NodeJS.Signals | null,
    ...said,
  }))
  return { child, ended, stdout: () => said.stdout }
}

/** `wearon …`, until it ends. */
export const wearon = (args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Ended> =>
  run('src/cli/wearon.ts', args, env).ended

export interface Server extends Running {
  readonly url: string
}

/** Starts a server on the folder, on any free port, and waits until it says where it answers. */
export const startServer = async (
  folder: string,
  { file = 'src/main.ts', ...env }: { file?: string; [name: string]: string | undefined } = {},
): Promise<Server> => {
  const running = launch(folder, { file, ...env })
  const url = await announced(running)
  return { ...running, url }
}

/** Starts a server and does not wait for it. */
export const launch = (
  folder: string,
  { file = 'src/main.ts', ...env }: { file?: string; [name: string]: string | undefined } = {},
): Running => run(file, [], { DATA_DIR: folder, HOST: '127.0.0.1', PORT: '0', LOG_LEVEL: 'info', ...env })

/** Where a server that was launched answers. Rejects when it ends before it says so. */
export const announced = async (running: Running): Promise<string> => {
  const died = running.ended.then(({ code, signal, stdout, stderr }) => {
    throw new Error(`the server ended (${code ?? signal}): ${stderr}${stdout}`)
  })
  const answers = eventually(() => {
    const url = /"url":"(?<url>[^"]+)".*"msg":"started"/.exec(running.stdout())?.groups?.['url']
    if (url === undefined) throw new Error('the server does not answer yet')
    return url
  }, START_MS)
  return Promise.race([answers, died])
}

/** Sends a signal and waits for the end. */
export const end = async ({ child, ended }: Running, signal: NodeJS.Signals = 'SIGTERM'): Promise<Ended> => {
  child.kill(signal)
  return ended
}
