import { readFileSync } from 'node:fs'
import { isIP } from 'node:net'
import { Cluster, Redis } from 'ioredis'
import { isNotPermitted, RedisUnreachable } from './errors.ts'
import {
  FULL_COVERAGE,
  FULL_COVERAGE_WARNING,
  refuseServer,
  type ServerFacts,
  serverFacts,
  serverWarnings,
} from './server-check.ts'

/** A socket that brings no answer for this long is dead, whatever the kernel says: half-open ones look alive for hours. */
const SILENCE_MAX_MS = 10_000
const CONNECT_TIMEOUT_MS = 10_000
const KEEP_ALIVE_MS = 10_000
const RETRY_FIRST_MS = 50
const RETRY_MAX_MS = 1_000

const PARTITION_SCRIPTS = [
  'create',
  'create_partition',
  'identities',
  'publish',
  'take',
  'load',
  'commit',
  'read',
  'look',
  'unread',
  'letters',
  'letter',
  'mark_letter',
  'erase_letter',
  'count_letters',
  'trim',
  'readers',
  'forget_reader',
  'members',
  'beat',
  'acquire',
  'release',
] as const
const BRIDGE_SCRIPTS = [
  'bridge_move',
  'bridge_done',
  'bridge_give_back',
  'bridge_others',
  'bridge_oldest',
  'hand_back',
] as const
export type Script = (typeof PARTITION_SCRIPTS)[number] | (typeof BRIDGE_SCRIPTS)[number]

export type Argument = string | number | Buffer

/** One process's way to Redis: our scripts, and news. A lost connection rejects what was under way and comes back by itself. */
export interface RedisConnection {
  /** Several slots fit in one call: a single node. On a cluster every call keeps to the keys of one partition. */
  readonly spansSlots: boolean
  /** Runs a script; texts in its answer are strings. */
  run(script: Script, keys: readonly string[], args: readonly Argument[]): Promise<unknown>
  /** The same with texts as bytes. */
  runForBytes(script: Script, keys: readonly string[], args: readonly Argument[]): Promise<unknown>
  /** All fields of a hash, some at a time. */
  scanHash(key: string, cursor: string, count: number): Promise<[cursor: string, fields: string[]]>
  /** Calls back for every message, and when some may have been missed. */
  subscribe(channel: string, onMessage: (text: string) => void, onBreak: () => void): Promise<Subscription>
  close(): Promise<void>
}

export interface Subscription {
  /** Rejects, and replaces the connection, when the server is silent. */
  ping(): Promise<void>
  close(): Promise<void>
}

export interface ConnectionOptions {
  /** `redis://` or `rediss://user:password@host:port/db`. A node of a Redis Cluster is recognised. */
  readonly url: string
  /** Hears what is unsafe about the server's settings, once at the start. */
  readonly onWarning: (message: string) => void
  /** Shown in CLIENT LIST. */
  readonly name?: string
}

/** Connects and looks at the server. @throws RedisUnreachable, UnfitServer */
export const openConnection = async ({
  url,
  onWarning,
  name = 'wearon',
}: ConnectionOptions): Promise<RedisConnection> => {
  const { client: first, facts } = await reached(url, name)
  try {
    refuseServer(facts)
    for (const warning of serverWarnings(facts)) onWarning(warning)
    if (!facts.isCluster) return onClient(first, first)
    if (await wantsFullCoverage(first)) onWarning(FULL_COVERAGE_WARNING)
    const cluster = await openCluster(first, optionsOf(name))
    first.disconnect()
    return onClient(cluster, first)
  } catch (error) {
    first.disconnect()
    throw error
  }
}

/** Shows the node at the URL, with what it says of itself, to `look`, and leaves it. @throws RedisUnreachable */
export const lookOnce = async <Seen>(
  url: string,
  look: (node: Redis, facts: ServerFacts) => Promise<Seen>,
): Promise<Seen> => {
  const { client, facts } = await reached(url, 'wearon doctor')
  try {
    return await look(client, facts)
  } finally {
    client.disconnect()
  }
}

const reached = async (url: string, name: string): Promise<{ client: Redis; facts: ServerFacts }> => {
  // ioredis takes no TLS options beside a URL that asks for TLS.
  const client = new Redis(url.replace(/^rediss:/, 'redis:'), { ...optionsOf(name), ...tlsOf(url) })
  // Every failure also rejects the call that met it, but only this says why; without a listener ioredis prints each.
  let cause: Error | null = null
  client.on('error', (error: Error) => {
    cause = error
  })
  try {
    return { client, facts: await lookAt(client) }
  } catch (error) {
    client.disconnect()
    throw new RedisUnreachable(new URL(url).host, cause ?? (error as Error))
  }
}

const optionsOf = (name: string) => ({
  connectionName: name,
  lazyConnect: true,
  connectTimeout: CONNECT_TIMEOUT_MS,
  keepAlive: KEEP_ALIVE_MS,
  socketTimeout: SILENCE_MAX_MS,
  // Whoever called decides whether to repeat: only commits are known to change nothing when repeated.
  autoResendUnfulfilledCommands: false,
  maxRetriesPerRequest: 0,
  retryStrategy: (times: number) => Math.min(RETRY_FIRST_MS * 2 ** Math.min(times, 10), RETRY_MAX_MS),
})

/** Hosts that serve many databases at one address tell them by the name in the handshake, which Node sends only when told. */
const tlsOf = (url: string): { tls?: { servername?: string } } => {
  const { protocol, hostname } = new URL(url)
  if (protocol !== 'rediss:') return {}
  return { tls: isIP(hostname.replace(/[[\]]/g, '')) === 0 ? { servername: hostname } : {} }
}

const lookAt = async (client: Redis): Promise<ServerFacts> => {
  await client.connect()
  const info = await client.info().catch((error: unknown) => {
    if (!isNotPermitted(error)) throw error
    return ''
  })
  return serverFacts(info)
}

/** False also where the user may not ask. */
const wantsFullCoverage = async (node: Redis): Promise<boolean> => {
  const [, value] = (await node.config('GET', FULL_COVERAGE).catch(() => [])) as string[]
  return value === 'yes'
}

const openCluster = async (node: Redis, redisOptions: ReturnType<typeof optionsOf>): Promise<Cluster> => {
  const { host = '127.0.0.1', port = 6379, username, password, tls } = node.options
  const cluster = new Cluster([{ host, port }], {
    lazyConnect: true,
    // A certificate is made for the name, so the name is what is connected to.
    ...(tls && { dnsLookup: (name, use) => use(null, name) }),
    redisOptions: {
      ...redisOptions,
      ...(username !== undefined && { username }),
      ...(password !== undefined && { password }),
      ...(tls && { tls: {} }),
    },
    clusterRetryStrategy: (times) => Math.min(RETRY_FIRST_MS * 2 ** Math.min(times, 10), RETRY_MAX_MS),
  })
  cluster.on('error', () => undefined)
  await cluster.connect()
  return cluster
}

type Call = (keyCount: number, keys: readonly string[], args: readonly Argument[]) => Promise<unknown>

/** News come from one node, also on a cluster, whose nodes tell each other. */
const onClient = (client: Redis | Cluster, node: Redis): RedisConnection => {
  const calls = defineScripts(client)
  const call = (name: string): Call => {
    const found = calls.get(name)
    if (found === undefined) throw new Error(`there is no script ${name}`)
    return found
  }
  return {
    spansSlots: client === node,
    run: (script, keys, args) => call(script)(keys.length, keys, args),
    runForBytes: (script, keys, args) => call(`${script}Buffer`)(keys.length, keys, args),
    scanHash: (key, cursor, count) => client.hscan(key, cursor, 'COUNT', count),
    subscribe: (channel, onMessage, onBreak) => subscribe(node, channel, onMessage, onBreak),
    close: async () => client.disconnect(),
  }
}

const defineScripts = (client: Redis | Cluster): ReadonlyMap<string, Call> => {
  const read = (name: string) => readFileSync(new URL(`scripts/${name}.lua`, import.meta.url), 'utf8')
  const prelude = read('prelude')
  const calls = new Map<string, Call>()
  for (const name of [...PARTITION_SCRIPTS, ...BRIDGE_SCRIPTS]) {
    const ofPartitions = (PARTITION_SCRIPTS as readonly string[]).includes(name)
    client.defineCommand(name, { lua: ofPartitions ? `${prelude}\n${read(name)}` : read(name) })
    for (const command of [name, `${name}Buffer`]) {
      // ioredis adds the command to the client under a name that its types do not know.
      const added = Reflect.get(client, command) as Call
      calls.set(command, added.bind(client))
    }
  }
  return calls
}

const subscribe = async (
  node: Redis,
  channel: string,
  onMessage: (text: string) => void,
  onBreak: () => void,
): Promise<Subscription> => {
  const subscriber = node.duplicate()
  subscriber.on('error', () => undefined)
  subscriber.on('message', (_channel: string, text: string) => onMessage(text))
  await subscriber.connect()
  await subscriber.subscribe(channel)
  // From now on it subscribes again by itself; what was said in between is lost.
  subscriber.on('ready', onBreak)
  return {
    // The connection's limit on silence begins with a question.
    ping: async () => {
      await subscriber.ping()
    },
    close: async () => subscriber.disconnect(),
  }
}
