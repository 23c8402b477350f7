import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { existsSync, globSync, readFileSync } from 'node:fs'
import { chown, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import pg from 'pg'
import { eventually } from './eventually.ts'
import { freePort } from './free-port.ts'
import { oncePerRun } from './once-per-run.ts'

const asRoot = process.getuid?.() === 0

/** The newest PostgreSQL of the machine; null where there is none. CI installs it, so there its absence is an error. */
const binaries = (): string | null => {
  const inPath = (process.env['PATH'] ?? '').split(delimiter)
  const folders = [...globSync('/usr/lib/postgresql/*/bin').toSorted().toReversed(), ...inPath]
  return folders.find((folder) => existsSync(join(folder, 'initdb'))) ?? null
}

const found = binaries()
if (found === null && process.env['CI'] === 'true') throw new Error('CI needs PostgreSQL for these tests')

/** False where the machine has no PostgreSQL: its tests are left out then. */
export const hasPostgres = found !== null

export interface PostgresServer {
  /** A new empty database; answers its URL. */
  database(): Promise<string>
  /** Stops and starts the server on the same port and data; `kill -9` unless graceful. */
  restart(graceful?: boolean): Promise<void>
  /** From now on commits are acknowledged before they are written, until `loseUnwritten`. */
  stopWriting(): Promise<void>
  /** `kill -9` of all its processes at once, so that what was not written is lost, and starts it, writing again. */
  loseUnwritten(): Promise<void>
  stop(): Promise<void>
}

/** What the real pg_dump writes of a database's schema. */
export const dumpSchema = (url: string): string =>
  execFileSync(program('pg_dump'), ['--schema-only', '--no-owner', url], { encoding: 'utf8', maxBuffer: 64_000_000 })

/** A power cut may lose what was acknowledged: tests are faster for it. */
const NOT_DURABLE = ['fsync=off', 'full_page_writes=off']

/** Runs a command line with the programs of PostgreSQL within reach. @throws when it fails, with what it said. */
export const withPostgresPrograms = (command: string, env: Readonly<Record<string, string>>): string =>
  execFileSync('sh', ['-ec', command], {
    encoding: 'utf8',
    env: { ...env, PATH: `${found ?? ''}${delimiter}${process.env['PATH']}` },
  })

/** Starts a PostgreSQL of its own on a free port, in a folder that goes away with it. Not durable unless told. */
export const startPostgres = async (settings: readonly string[] = NOT_DURABLE): Promise<PostgresServer> => {
  const folder = await mkdtemp(join(tmpdir(), 'wearon-postgres-'))
  const data = join(folder, 'data')
  const user = serverUser()
  // With the owners and modes of its files: the server refuses any others.
  execFileSync('cp', ['-a', `${await oncePerRun('postgres', (made) => initialize(made, user))}/.`, folder])
  const port = await freePort()
  let running = await launch(folder, data, port, user, settings)
  let databases = 0
  const stop = async (signal: NodeJS.Signals) => {
    if (hasEnded(running)) return
    const gone = new Promise((resolve) => running.once('exit', resolve))
    running.kill(signal)
    await gone
  }
  return {
    database: async () => {
      const name = `test_${++databases}`
      await onServer(port, (client) => client.query(`create database ${name}`))
      return urlOf(port, name)
    },
    restart: async (graceful = false) => {
      await stop(graceful ? 'SIGINT' : 'SIGKILL')
      // A killed postmaster leaves its file: the next start would refuse.
      await rm(join(data, 'postmaster.pid'), { force: true })
      running = await launch(folder, data, port, user, settings)
    },
    stopWriting: async () => {
      for (const [name, value] of UNWRITTEN) await alter(port, `set ${name} = '${value}'`)
    },
    loseUnwritten: async () => {
      const gone = new Promise((resolve) => running.once('exit', resolve))
      // The parent first: it would answer the death of a child with an orderly recovery.
      for (const pid of [running.pid ?? 0, ...childrenOf(running.pid ?? 0)]) killAtOnce(pid)
      await gone
      await rm(join(data, 'postmaster.pid'), { force: true })
      await writeFile(join(data, 'postgresql.auto.conf'), '')
      running = await launch(folder, data, port, user, settings)
    },
    stop: async () => {
      await stop('SIGQUIT')
      await rm(folder, { recursive: true, force: true })
    },
  }
}

/** An empty cluster in `<folder>/data`. */
const initialize = async (folder: string, user: Ids | null): Promise<void> => {
  if (user !== null) await chown(folder, user.uid, user.gid)
  const settings = ['-U', 'postgres', '--auth=trust', '-E', 'UTF8', '--no-sync']
  execFileSync(program('initdb'), ['-D', join(folder, 'data'), ...settings], {
    ...user,
    cwd: folder,
    stdio: ['ignore', 'ignore', 'inherit'],
  })
}

/** Starts the server until it answers: it refuses for as long as children of one that was killed hold its memory. */
const launch = async (
  folder: string,
  data: string,
  port: number,
  user: Ids | null,
  settings: readonly string[],
): Promise<ChildProcess> => {
  const all = ['listen_addresses=127.0.0.1', 'max_connections=200', ...settings]
  const options = all.flatMap((setting) => ['-c', setting])
  const start = () =>
    spawn(program('postgres'), ['-D', data, '-p', `${port}`, '-k', folder, ...options], {
      ...user,
      cwd: folder,
      stdio: 'ignore',
    })
  let child = start()
  await eventually(() => {
    if (hasEnded(child)) child = start()
    return onServer(port, (client) => client.query('select 1'))
  })
  return child
}

const hasEnded = ({ exitCode, signalCode }: ChildProcess): boolean => exitCode !== null || signalCode !== null

/** Nobody waits for the writing of a commit, and nothing writes for as long as a test lasts. */
const UNWRITTEN = [
  ['wal_writer_delay', '10s'],
  ['wal_writer_flush_after', '1GB'],
  ['synchronous_commit', 'off'],
] as const

const alter = (port: number, change: string) =>
  onServer(port, async (client) => {
    await client.query(`alter system ${change}`)
    await client.query('select pg_reload_conf()')
  })

/** Processes that this one started, by their ids. */
const childrenOf = (pid: number): number[] =>
  readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').filter(Boolean).map(Number)

const killAtOnce = (pid: number): void => {
  try {
    process.kill(pid, 'SIGKILL')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}

const program = (name: string) => join(found ?? '', name)

interface Ids {
  readonly uid: number
  readonly gid: number
}

/** The server refuses to run as root; Debian's package brings a user for it. */
const serverUser = (): Ids | null => {
  if (!asRoot) return null
  const id = (option: string) => Number(execFileSync('id', [option, 'postgres'], { encoding: 'utf8' }))
  return { uid: id('-u'), gid: id('-g') }
}

const urlOf = (port: number, database: string) => `postgres://postgres@127.0.0.1:${port}/${database}`

const onServer = async (port: number, work: (client: pg.Client) => Promise<unknown>) => {
  const client = new pg.Client({ connectionString: urlOf(port, 'postgres') })
  // A server that is killed says farewell on idle connections too.
  client.on('error', () => undefined)
  await client.connect()
  try {
    await work(client)
  } finally {
    await client.end()
  }
}
