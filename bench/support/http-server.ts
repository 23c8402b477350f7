import { type ChildProcess, execFileSync, fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, open, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { z } from 'zod'
import { readOperatorToken } from '../../src/app/operator-token.ts'
import { Client } from '../../src/cli/client.ts'
import { eventually } from '../../test/support/eventually.ts'
import { Told } from './http-messages.ts'

const PROGRAM = join(import.meta.dirname, '../processes/http-server.ts')
/** No limit that a request a second knows of. */
const NO_LIMIT = '100000000'

/** How the server stands: CPU time since its start, and memory after a full collection. */
export type Standing = Extract<Told, { told: 'standing' }>

/** A server in a process of its own, with the key that its clients use. */
export interface HttpServer {
  readonly url: string
  /** Sent as `Authorization`. */
  readonly bearer: string
  readonly client: Client
  stands(): Promise<Standing>
  /** What it and the engines that it started hold in memory now; pages that they share count for each. */
  rssMb(): number
  stop(): Promise<void>
}

/**
 * Starts the default set of processes on an embedded database, rate limits raised, and waits until it is ready. `prepare` puts
 * into the empty data folder what shall be there before.
 */
export const startHttpServer = async (prepare?: (dataDir: string) => Promise<void>): Promise<HttpServer> => {
  const folder = await mkdtemp(join(tmpdir(), 'wearon-http-'))
  await prepare?.(folder)
  const child = await forkOn(folder)
  const url = await listeningAt(child)
  const operator = new Client(url, { token: readOperatorToken(folder) })
  await eventually(() => isReady(url), 60_000)
  const made = await operator.post(
    '/v1/keys',
    { name: 'bench', scopes: ['publish', 'read'] },
    z.object({ key: z.string() }),
  )
  return {
    url,
    bearer: `Bearer ${made.key}`,
    client: new Client(url, { key: made.key }),
    stands: () => standing(child),
    rssMb: () => rssMbOf(child.pid ?? 0),
    stop: async () => {
      const exited = once(child, 'exit')
      child.disconnect()
      await exited
      await rm(folder, { recursive: true, force: true })
    },
  }
}

/** Its log goes to a file, as under any service manager. */
const forkOn = async (folder: string): Promise<ChildProcess> => {
  const log = await open(join(folder, 'log'), 'w')
  const limits = { RATE_LIMIT_KEY: NO_LIMIT, RATE_LIMIT_ADDRESS: NO_LIMIT, TENANT_BACKLOG_MAX: '1000000' }
  const child = fork(PROGRAM, {
    execArgv: [...process.execArgv, '--expose-gc'],
    env: {
      ...process.env,
      DATA_DIR: folder,
      HOST: '127.0.0.1',
      PORT: '0',
      WORKER_CONCURRENCY: '50',
      ...limits,
    },
    stdio: ['ignore', log.fd, 'inherit', 'ipc'],
  })
  await log.close()
  return child
}

const listeningAt = async (child: ChildProcess): Promise<string> => {
  const [message] = (await Promise.race([once(child, 'message'), endOf(child)])) as [unknown]
  const told = Told.parse(message)
  if (told.told !== 'listening') throw new Error(`told ${told.told} before it listened`)
  return told.url
}

const endOf = async (child: ChildProcess): Promise<never> => {
  const [code] = (await once(child, 'exit')) as [number | null]
  throw new Error(`the server ended with ${code}`)
}

const isReady = async (url: string): Promise<void> => {
  const health = z.looseObject({ status: z.literal('ok'), size_rec_model_loaded: z.literal(true) })
  health.parse(await (await fetch(`${url}/health`)).json())
}

const standing = async (child: ChildProcess): Promise<Standing> => {
  const answer = once(child, 'message')
  child.send('stand')
  const told = Told.parse(((await answer) as [unknown])[0])
  if (told.told !== 'standing') throw new Error(`told ${told.told} when asked how it stands`)
  return told
}

const rssMbOf = (pid: number): number =>
  execFileSync('ps', ['-o', 'rss=', '--pid', `${pid}`, '--ppid', `${pid}`], { encoding: 'utf8' })
    .split('\n')
    .reduce((sum, line) => sum + Number(line) / 1_024, 0)
