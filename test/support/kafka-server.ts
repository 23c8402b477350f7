import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { cp, mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Kafka, logLevel } from 'kafkajs'
import { eventually } from './eventually.ts'
import { freePort } from './free-port.ts'
import { type BrokerPorts, propertiesOf } from './kafka-properties.ts'
import { oncePerRun } from './once-per-run.ts'

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
  /** Starts another broker in this one's cluster, with the id 2. It is to be stopped before this one. */
  join(): Promise<Pick<KafkaServer, 'broker' | 'restart' | 'stop'>>
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
  const [port, controllerPort, securePort] = [await freePort(), await freePort(), await freePort()]
  const behind = await Promise.all(advertised.map(freePort))
  const secure = security && { ...security, port: securePort }
  const first = { port, controllerPort, advertised, behind, secure }
  return {
    ...(await startBroker(1, first, scramUser(security))),
    secureBroker: `localhost:${securePort}`,
    behind,
    join: async () =>
      startBroker(2, { port: await freePort(), controllerPort, advertised: [], behind: [], secure: null }),
  }
}

/** In a folder of its own, which goes away with it. */
const startBroker = async (
  id: number,
  ports: BrokerPorts,
  users: readonly string[] = [],
): Promise<Pick<KafkaServer, 'broker' | 'restart' | 'stop'>> => {
  const folder = await mkdtemp(join(tmpdir(), 'wearon-kafka-'))
  const file = join(folder, 'server.properties')
  await writeFile(file, propertiesOf(id, folder, ports))
  if (users.length > 0) format(file, users)
  else await cp(await formatted(id, ports), join(folder, 'data'), { recursive: true })
  const broker = `127.0.0.1:${ports.port}`
  let child = await launch(file, broker)
  return {
    broker,
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

/** The data folder of a new broker with this id, which takes a JVM of its own to make and is the same for all of them. */
const formatted = async (id: number, ports: BrokerPorts): Promise<string> => {
  const made = await oncePerRun(`kafka-${id}`, async (folder) => {
    const file = join(folder, 'server.properties')
    await writeFile(file, propertiesOf(id, folder, ports))
    format(file, [])
  })
  return join(made, 'data')
}

const format = (file: string, users: readonly string[]) =>
  java(['kafka.tools.StorageTool', 'format', '-t', CLUSTER_ID, '-c', file, ...users])

/** Any 128 bits in URL-safe base64: clusters of tests never meet. */
const CLUSTER_ID = 'wearonWEARONwearonWEAw'

const launch = async (file: string, broker: string): Promise<ChildProcess> => {
  const child = spawn(JAVA, [...OPTIONS, 'kafka.Kafka', file], { stdio: 'ignore' })
  await eventually(() => ask(broker), 60_000)
  return child
}

/** Little memory and a quick start: what a test needs of a JVM. */
const OPTIONS = ['-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-Xmx384m', '-cp', join(JARS, '*')]

const java = (args: readonly string[]) =>
  execFileSync(JAVA, [...OPTIONS, ...args], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })

const scramUser = (security: KafkaSecurity | null): string[] =>
  security === null ? [] : ['--add-scram', `SCRAM-SHA-512=[name=${security.username},password=${security.password}]`]

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
  if (child.exitCode !== null || child.signalCode !== null) return
  const gone = new Promise((resolve) => child.once('exit', resolve))
  child.kill(signal)
  await gone
}
