import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Kafka, logLevel } from 'kafkajs'
import { eventually } from './eventually.ts'

const VERSION = '4.1.1'
const CACHE = join(import.meta.dirname, '../../node_modules/.cache')
const JARS = join(CACHE, `kafka-${VERSION}`)

const JAVA = 'java'
const MAVEN = 'mvn'

const runs = (program: string, option: string) => spawnSync(program, [option], { stdio: 'ignore' }).status === 0
const found = runs(JAVA, '-version') && (existsSync(JARS) || runs(MAVEN, '-v'))
if (!found && process.env['CI'] === 'true') throw new Error('CI needs Java and Maven for these tests')
if (!found) console.warn('no Java or no Maven on this machine: the tests on a Kafka broker are left out')

/** False where the machine cannot run a broker: its tests are left out then. */
export const hasKafka = found

export interface KafkaServer {
  /** `host:port`, for `brokers`. */
  readonly broker: string
  /** The listener with TLS and a password, where one was asked for. */
  readonly secureBroker: string
  /** The ports behind the addresses that it was told to advertise, in their order. */
  readonly behind: readonly number[]
  /** `kill -9` (or an orderly stop), and starts it again on the same port and data. `meanwhile` gets their folder. */
  restart(graceful?: boolean, meanwhile?: (folder: string) => Promise<void>): Promise<void>
  stop(): Promise<void>
}

/** A listener that takes one user over TLS, with PLAIN or SCRAM-SHA-512. */
export interface KafkaSecurity {
  /** A PEM file with the broker's key and certificate. */
  readonly keystore: string
  readonly username: string
  readonly password: string
}

/**
 * Starts a broker of its own, in one process and on free ports, in a folder that goes away with it. A client that comes in
 * through one of the `advertised` ports (each a proxy's, before a listener of the broker's own) is told to stay on it.
 */
export const startKafka = async (
  advertised: readonly number[] = [],
  security: KafkaSecurity | null = null,
): Promise<KafkaServer> => {
  await fetchJars()
  const folder = await mkdtemp(join(tmpdir(), 'wearon-kafka-'))
  const [port, controllerPort, securePort] = [await freePort(), await freePort(), await freePort()]
  const file = join(folder, 'server.properties')
  const behind = await Promise.all(advertised.map(freePort))
  const secure = security && { ...security, port: securePort }
  await writeFile(file, propertiesOf(folder, { port, controllerPort, advertised, behind, secure }))
  java(['kafka.tools.StorageTool', 'format', '-t', newClusterId(), '-c', file, ...scramUser(security)])
  const broker = `127.0.0.1:${port}`
  let child = await launch(file, broker)
  return {
    broker,
    secureBroker: `localhost:${securePort}`,
    behind,
    restart: async (graceful = false, meanwhile = async () => {}) => {
      await kill(child, graceful ? 'SIGTERM' : 'SIGKILL')
      await meanwhile(join(folder, 'data'))
      child = await launch(file, broker)
    },
    stop: async () => {
      await kill(child)
      await rm(folder, { recursive: true, force: true })
    },
  }
}

/** 128 random bits in URL-safe base64, as the storage tool's `random-uuid` makes them, without a JVM of its own. */
const newClusterId = (): string => {
  const id = randomBytes(16).toString('base64url')
  return id.startsWith('-') ? newClusterId() : id
}

const launch = async (file: string, broker: string): Promise<ChildProcess> => {
  const child = spawn(JAVA, [...OPTIONS, 'kafka.Kafka', file], { stdio: 'ignore' })
  await eventually(() => ask(broker), 60_000)
  return child
}

/** Little memory and a quick start: what a test needs of a JVM. */
const OPTIONS = ['-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-Xmx384m', '-cp', join(JARS, '*')]

const java = (args: readonly string[]) =>
  execFileSync(JAVA, [...OPTIONS, ...args], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })

interface Ports {
  readonly port: number
  readonly controllerPort: number
  readonly advertised: readonly number[]
  readonly behind: readonly number[]
  readonly secure: (KafkaSecurity & { readonly port: number }) | null
}

const propertiesOf = (folder: string, { port, controllerPort, advertised, behind, secure }: Ports) =>
  Object.entries({
    'process.roles': 'broker,controller',
    'node.id': 1,
    'controller.quorum.voters': `1@127.0.0.1:${controllerPort}`,
    listeners: [
      ...listeners([port, ...behind]),
      ...secureListener(secure),
      `CONTROLLER://127.0.0.1:${controllerPort}`,
    ].join(','),
    'advertised.listeners': [...listeners([port, ...advertised]), ...secureListener(secure)].join(','),
    'listener.security.protocol.map':
      [0, ...advertised].map((_, index) => `L${index}:PLAINTEXT,`).join('') + 'SECURE:SASL_SSL,CONTROLLER:PLAINTEXT',
    'inter.broker.listener.name': 'L0',
    'controller.listener.names': 'CONTROLLER',
    'log.dirs': join(folder, 'data'),
    'offsets.topic.num.partitions': 1,
    'offsets.topic.replication.factor': 1,
    'transaction.state.log.replication.factor': 1,
    'transaction.state.log.min.isr': 1,
    'share.coordinator.state.topic.replication.factor': 1,
    'share.coordinator.state.topic.min.isr': 1,
    'group.initial.rebalance.delay.ms': 0,
    // Tests do not wait 6 s for a process that died.
    'group.min.session.timeout.ms': 500,
    // A broker that was killed is back without waiting until its controller takes it for dead.
    'broker.session.timeout.ms': 4_000,
    'broker.heartbeat.interval.ms': 500,
    'auto.create.topics.enable': false,
    ...(secure && securityOf(secure)),
  })
    .map(([name, value]) => `${name}=${value}\n`)
    .join('')

const secureListener = (secure: Ports['secure']): string[] => (secure ? [`SECURE://localhost:${secure.port}`] : [])

const securityOf = ({ keystore, username, password }: KafkaSecurity) => {
  const login = (kind: string, options = '') =>
    `org.apache.kafka.common.security.${kind}LoginModule required ${options};`
  return {
    'listener.name.secure.ssl.keystore.type': 'PEM',
    'listener.name.secure.ssl.keystore.location': keystore,
    'listener.name.secure.sasl.enabled.mechanisms': 'PLAIN,SCRAM-SHA-512',
    'listener.name.secure.plain.sasl.jaas.config': login('plain.Plain', `user_${username}="${password}"`),
    'listener.name.secure.scram-sha-512.sasl.jaas.config': login('scram.Scram'),
  }
}

const scramUser = (security: KafkaSecurity | null): string[] =>
  security === null ? [] : ['--add-scram', `SCRAM-SHA-512=[name=${security.username},password=${security.password}]`]

const listeners = (ports: readonly number[]): string[] => ports.map((port, index) => `L${index}://127.0.0.1:${port}`)

/** Apache Kafka has no npm package: Maven Central has its jars, 43 MB, fetched once. */
const fetchJars = async (): Promise<void> => {
  if (existsSync(JARS)) return
  await mkdir(CACHE, { recursive: true })
  const folder = await mkdtemp(join(CACHE, 'kafka-'))
  await writeFile(join(folder, 'pom.xml'), POM)
  const goal = ['dependency:copy-dependencies', `-DoutputDirectory=${join(folder, 'jars')}`]
  execFileSync(MAVEN, ['-q', '-B', '-f', join(folder, 'pom.xml'), ...goal], { stdio: ['ignore', 'ignore', 'inherit'] })
  // In one move: another test that fetches at the same time sees all of it or nothing.
  await rename(join(folder, 'jars'), JARS).catch((error: unknown) => {
    if (!existsSync(JARS)) throw error
  })
  await rm(folder, { recursive: true, force: true })
}

const dependency = (group: string, artifact: string, version: string) =>
  `<dependency><groupId>${group}</groupId><artifactId>${artifact}</artifactId><version>${version}</version></dependency>`

const POM = `<project><modelVersion>4.0.0</modelVersion>
<groupId>wearon</groupId><artifactId>kafka-for-tests</artifactId><version>1</version>
<dependencies>
${dependency('org.apache.kafka', 'kafka_2.13', VERSION)}
${dependency('org.slf4j', 'slf4j-simple', '1.7.36')}
</dependencies></project>`

const ask = async (broker: string): Promise<void> => {
  const admin = new Kafka({ brokers: [broker], logLevel: logLevel.NOTHING, retry: { retries: 0 } }).admin()
  try {
    await admin.connect()
    await admin.describeCluster()
  } finally {
    await admin.disconnect()
  }
}

const kill = async (child: ChildProcess, signal: NodeJS.Signals = 'SIGKILL'): Promise<void> => {
  const gone = new Promise((resolve) => child.once('exit', resolve))
  child.kill(signal)
  await gone
}

const freePort = (): Promise<number> =>
  new Promise((resolve, reject) => {
    const probe = createServer()
    probe.once('error', reject)
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address()
      probe.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0))
    })
  })
