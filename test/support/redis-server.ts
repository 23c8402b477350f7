import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process'
import { globSync } from 'node:fs'
import { mkdtemp, rm, stat, truncate } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { eventually } from './eventually.ts'
import { freePort } from './free-port.ts'

/** False where the machine has no Redis: its tests are left out then. CI installs it, so there its absence is an error. */
export const hasRedis = spawnSync('redis-server', ['--version']).status === 0
if (!hasRedis && process.env['CI'] === 'true') throw new Error('CI needs redis-server for these tests')

export interface RedisServer {
  readonly url: string
  /** Answers what redis-cli prints. */
  cli(...args: readonly string[]): string
  /** `kill -9` (or an orderly stop), and a new process on the same port and data. */
  restart(graceful?: boolean): Promise<void>
  kill(): Promise<void>
  start(): Promise<void>
  /** How much its append-only file holds by now: `cutBackTo` takes it there again. */
  written(): Promise<number>
  /** `kill -9`, cuts the append-only file back to a length that it had, and starts: what was written since is lost. */
  cutBackTo(bytes: number): Promise<void>
  stop(): Promise<void>
}

/** Starts a Redis of its own on a free port, durable as in production, in a folder that goes away with it. */
export const startRedis = async (settings: readonly string[] = []): Promise<RedisServer> => {
  const folder = await mkdtemp(join(tmpdir(), 'wearon-redis-'))
  const port = await freePort()
  let running = await launch(folder, port, settings)
  const end = async (signal: NodeJS.Signals) => {
    const gone = new Promise((resolve) => running.once('exit', resolve))
    running.kill(signal)
    await gone
  }
  const kill = () => end('SIGKILL')
  const start = async () => {
    running = await launch(folder, port, settings)
  }
  return {
    url: `redis://127.0.0.1:${port}`,
    cli: (...args) => cli(port, args),
    kill,
    start,
    restart: async (graceful = false) => {
      await end(graceful ? 'SIGTERM' : 'SIGKILL')
      await start()
    },
    written: async () => (await stat(growingFile(folder))).size,
    cutBackTo: async (bytes) => {
      await kill()
      await truncate(growingFile(folder), bytes)
      await start()
    },
    stop: async () => {
      if (running.exitCode === null && running.signalCode === null) await kill()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

export interface RedisCluster {
  /** One of the nodes. */
  readonly url: string
  readonly nodes: readonly RedisServer[]
  stop(): Promise<void>
}

/** Three nodes without replicas: enough for keys to lie on different ones. */
export const startRedisCluster = async (settings: readonly string[] = []): Promise<RedisCluster> => {
  const nodes = await Promise.all([1, 2, 3].map(() => startRedis(['--cluster-enabled', 'yes', ...settings])))
  const hosts = nodes.map(({ url }) => new URL(url).host)
  execFileSync('redis-cli', ['--cluster', 'create', ...hosts, '--cluster-yes'], { stdio: 'ignore' })
  const [first] = nodes
  if (first === undefined) throw new Error('no node was started')
  await eventually(() => {
    for (const node of nodes) {
      if (!node.cli('cluster', 'info').includes('cluster_state:ok')) throw new Error('the cluster is not ready')
    }
  })
  return {
    url: first.url,
    nodes,
    stop: async () => {
      await Promise.all(nodes.map((node) => node.stop()))
    },
  }
}

const launch = async (folder: string, port: number, settings: readonly string[]): Promise<ChildProcess> => {
  const place = ['--port', `${port}`, '--dir', folder, '--bind', '127.0.0.1', '--save', '']
  const child = spawn('redis-server', [...place, '--appendonly', 'yes', '--appendfsync', 'everysec', ...settings], {
    stdio: 'ignore',
  })
  await eventually(() => {
    if (cli(port, ['ping']).trim() !== 'PONG') throw new Error('Redis does not answer yet')
  })
  return child
}

/** Where Redis appends what it is told; one file, as long as nothing rewrites it. */
const growingFile = (folder: string): string => {
  const [file, ...others] = globSync(join(folder, 'appendonlydir/*.incr.aof'))
  if (file === undefined || others.length > 0) throw new Error('Redis does not write to one append-only file')
  return file
}

const cli = (port: number, args: readonly string[]): string =>
  execFileSync('redis-cli', ['-p', `${port}`, ...args], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })
