import { join, resolve } from 'node:path'
import { z } from 'zod'
import { openaiOf, openaiProblems } from './config/openai.ts'
import { poseOf } from './config/pose.ts'
import { isProxy } from './config/proxy.ts'
import { supabaseOf, supabaseProblems } from './config/supabase.ts'
import { tracingOf } from './config/tracing.ts'
import { defaultPolicy, type Policy } from './machines/policy.ts'

const ROLES = ['api', 'worker', 'projector', 'bridge'] as const
export type Role = (typeof ROLES)[number]

const SASL_MECHANISMS = ['plain', 'scram-sha-256', 'scram-sha-512'] as const

/** What an unset or empty variable, a number, a list look like in an environment. */
const given = <Schema extends z.ZodType>(schema: Schema) =>
  z.preprocess((value) => (value === '' ? undefined : value), schema)
const whole = (fallback: number, min: number, max: number) =>
  given(z.coerce.number().int().min(min).max(max).default(fallback))
const list = given(z.string().default('')).transform((text) =>
  text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== ''),
)
const url = (protocol: RegExp) => given(z.url({ protocol, error: 'is not a URL of the expected kind' }).optional())

/** Every variable we read. Unset means the default; empty means unset. Times end in their unit. */
const Variables = z.object({
  PORT: whole(8000, 0, 65_535),
  HOST: given(z.string().default('0.0.0.0')),
  DATA_DIR: given(z.string().default('.wearon')),
  ROLES: list.pipe(z.array(z.enum(ROLES))),
  EVENT_LOG: given(z.enum(['embedded', 'postgres', 'redis', 'kafka']).optional()),
  STORE: given(z.enum(['embedded', 'postgres', 'supabase']).optional()),
  OBJECTS: given(z.enum(['folder', 'supabase']).optional()),
  GENERATOR: given(z.enum(['preview', 'openai']).optional()),
  DATABASE_URL: url(/^postgres(ql)?$/),
  REDIS_URL: url(/^rediss?$/),
  KAFKA_BROKERS: list,
  KAFKA_TLS: given(z.stringbool().optional()),
  KAFKA_CA: given(z.string().optional()),
  KAFKA_USERNAME: given(z.string().optional()),
  KAFKA_PASSWORD: given(z.string().optional()),
  KAFKA_SASL_MECHANISM: given(z.string().toLowerCase().pipe(z.enum(SASL_MECHANISMS)).default('plain')),
  PARTITIONS: whole(64, 1, 1024),
  SUPABASE_URL: url(/^https?$/),
  SUPABASE_SERVICE_ROLE_KEY: given(z.string().optional()),
  OPENAI_API_KEY: given(z.string().optional()),
  OPENAI_BASE_URL: url(/^https?$/),
  OPENAI_MAX_RETRIES: whole(defaultPolicy.retries.transient, 0, 20),
  OPENAI_REQUESTS_PER_MINUTE: whole(300, 1, 1_000_000),
  IMAGE_MODEL: given(z.string().default('gpt-image-1.5')),
  IMAGE_SIZE: given(z.string().default('1024x1536')),
  IMAGE_QUALITY: given(z.string().default('medium')),
  IMAGE_PRICES: list,
  WEARON_API_KEY: given(z.string().optional()),
  PUBLIC_URL: url(/^https?$/),
  CONSOLE_SECRET: given(z.string().min(32, 'is shorter than 32 characters').optional()),
  WORKER_CONCURRENCY: whole(5, 1, 1_000),
  REFUND_CONCURRENCY: whole(4, 1, 100),
  QUEUE_AGE_MAX: whole(defaultPolicy.queueAgeMaxMs / 1000, 1, 86_400),
  TRY_TIMEOUT: whole(defaultPolicy.tryTimeoutMs / 1000, 1, 3_600),
  SHUTDOWN_GRACE: whole(50, 0, 600),
  RATE_LIMIT_KEY: whole(6_000, 1, 100_000_000),
  RATE_LIMIT_ADDRESS: whole(1_200, 1, 100_000_000),
  TRUST_PROXY: list.pipe(
    z.array(z.string().refine(isProxy, 'is no address, network, loopback, linklocal or uniquelocal')),
  ),
  TENANT_BACKLOG_MAX: whole(10_000, 1, 1_000_000),
  IMAGE_HOSTS: list,
  POSE: given(z.enum(['on', 'off']).default('on')),
  POSE_BACKEND: given(z.enum(['auto', 'node', 'wasm']).default('auto')),
  POSE_WORKERS: whole(2, 1, 16),
  POSE_OVERLAY: given(z.stringbool().default(false)),
  POSE_MODELS: given(z.string().optional()),
  ORPHANS: given(z.enum(['settle', 'show', 'off']).default('settle')),
  OTEL_EXPORTER_OTLP_ENDPOINT: url(/^https?$/),
  OTEL_SERVICE_NAME: given(z.string().default('wearon-worker')),
  OTEL_TRACES_SAMPLER_ARG: given(z.coerce.number().min(0).max(1).default(1)),
  LOG_LEVEL: given(z.enum(['debug', 'info', 'warn', 'error', 'silent']).default('info')),
})

/** What was chosen where a choice can be left open, and why: printed at start. */
export interface Choice {
  readonly name: string
  readonly value: string
  readonly because: string
}

export interface Config {
  readonly port: number
  readonly host: string
  readonly dataDir: string
  readonly objects: 'folder' | 'supabase'
  readonly objectsDir: string
  readonly roles: ReadonlySet<Role>
  readonly eventLog: 'embedded' | 'postgres' | 'redis' | 'kafka'
  readonly store: 'embedded' | 'postgres' | 'supabase'
  readonly databaseUrl: string | undefined
  readonly redisUrl: string | undefined
  /** The project's address and the key of its service role. */
  readonly supabase: { readonly url: string; readonly key: string } | null
  /** Null unless it makes the images. */
  readonly openai: ReturnType<typeof openaiOf>
  readonly kafka: {
    /** `host:port` each. */
    readonly brokers: readonly string[]
    readonly tls: boolean
    readonly caFile: string | null
    readonly login: {
      readonly mechanism: (typeof SASL_MECHANISMS)[number]
      readonly username: string
      readonly password: string
    } | null
  }
  readonly partitions: number
  /** What the signed URLs of our own object folder begin with; null: this server's own address. */
  readonly publicUrl: string | null
  /** With what the command line asks a server. */
  readonly apiKey: string | null
  /** Under which browsers' sessions are signed; null: this folder's own secret. */
  readonly consoleSecret: string | null
  readonly concurrency: number
  readonly refundConcurrency: number
  readonly policy: Policy
  readonly shutdownGraceMs: number
  readonly tenantBacklogMax: number
  /** Requests a minute. */
  readonly keyRequestsPerMinute: number
  readonly addressRequestsPerMinute: number
  /** Proxies whose X-Forwarded-For is believed. */
  readonly trustedProxies: readonly string[]
  readonly imageHosts: readonly string[]
  /** Null: photos of bodies are not looked at. */
  readonly pose: ReturnType<typeof poseOf>
  /** What the projector does about session rows for which no task came: give them up, only say so, or not look. */
  readonly orphans: 'settle' | 'show' | 'off'
  readonly logLevel: 'debug' | 'info' | 'warn' | 'error' | 'silent'
  /** Null: no traces are sent. */
  readonly tracing: ReturnType<typeof tracingOf>
  readonly choices: readonly Choice[]
}

/** The environment is wrong: `problems` holds one line for each fault, all at once. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
  readonly problems: readonly string[]

  constructor(problems: readonly string[]) {
    super(
      `the configuration has ${problems.length} ${problems.length === 1 ? 'problem' : 'problems'}:\n  ${problems.join('\n  ')}`,
    )
    this.problems = problems
  }
}

type Environment = Readonly<Record<string, string | undefined>>

/** Reads the configuration. @throws ConfigError */
export const readConfig = (environment: Environment = process.env): Config => {
  const parsed = Variables.safeParse(environment)
  if (!parsed.success)
    throw new ConfigError(parsed.error.issues.map((issue) => `${issue.path.join('.')} ${issue.message}`))
  const variables = parsed.data
  const choices = choose(variables)
  const problems = missing(variables, choices)
  if (problems.length > 0) throw new ConfigError(problems)
  const dataDir = resolve(variables.DATA_DIR)
  return {
    port: variables.PORT,
    host: variables.HOST,
    dataDir,
    objects: valueOf(choices, 'OBJECTS') as Config['objects'],
    objectsDir: join(dataDir, 'objects'),
    roles: new Set(variables.ROLES.length > 0 ? variables.ROLES : ROLES),
    eventLog: valueOf(choices, 'EVENT_LOG') as Config['eventLog'],
    store: valueOf(choices, 'STORE') as Config['store'],
    databaseUrl: variables.DATABASE_URL,
    redisUrl: variables.REDIS_URL,
    supabase: supabaseOf(variables),
    openai: valueOf(choices, 'GENERATOR') === 'openai' ? openaiOf(variables) : null,
    kafka: kafkaOf(variables),
    partitions: variables.PARTITIONS,
    publicUrl: variables.PUBLIC_URL ?? null,
    consoleSecret: variables.CONSOLE_SECRET ?? null,
    apiKey: variables.WEARON_API_KEY ?? null,
    concurrency: variables.WORKER_CONCURRENCY,
    refundConcurrency: variables.REFUND_CONCURRENCY,
    policy: {
      ...defaultPolicy,
      retries: { ...defaultPolicy.retries, transient: variables.OPENAI_MAX_RETRIES },
      queueAgeMaxMs: variables.QUEUE_AGE_MAX * 1000,
      tryTimeoutMs: variables.TRY_TIMEOUT * 1000,
    },
    shutdownGraceMs: variables.SHUTDOWN_GRACE * 1000,
    tenantBacklogMax: variables.TENANT_BACKLOG_MAX,
    keyRequestsPerMinute: variables.RATE_LIMIT_KEY,
    addressRequestsPerMinute: variables.RATE_LIMIT_ADDRESS,
    trustedProxies: variables.TRUST_PROXY,
    imageHosts: variables.IMAGE_HOSTS,
    pose: poseOf(variables),
    orphans: variables.ORPHANS,
    logLevel: variables.LOG_LEVEL,
    tracing: tracingOf(variables),
    choices,
  }
}

type Variables = z.infer<typeof Variables>

/** A password goes over TLS unless somebody says otherwise: managed Kafka takes no other. */
const kafkaOf = (variables: Variables): Config['kafka'] => {
  const { KAFKA_BROKERS, KAFKA_TLS, KAFKA_CA, KAFKA_USERNAME: username, KAFKA_PASSWORD: password } = variables
  const mechanism = variables.KAFKA_SASL_MECHANISM
  return {
    brokers: KAFKA_BROKERS,
    tls: KAFKA_TLS ?? (KAFKA_CA !== undefined || username !== undefined),
    caFile: KAFKA_CA ?? null,
    login: username === undefined || password === undefined ? null : { mechanism, username, password },
  }
}

/** A choice that is not made follows from what is set: the platform's present environment is enough. */
const choose = (variables: Variables): Choice[] => [
  choice('EVENT_LOG', variables.EVENT_LOG, [
    [variables.KAFKA_BROKERS.length > 0, 'kafka', 'KAFKA_BROKERS is set'],
    [variables.REDIS_URL !== undefined, 'redis', 'REDIS_URL is set'],
    [true, 'embedded', 'no REDIS_URL and no KAFKA_BROKERS'],
  ]),
  choice('STORE', variables.STORE, [
    [variables.SUPABASE_URL !== undefined, 'supabase', 'SUPABASE_URL is set'],
    [variables.DATABASE_URL !== undefined, 'postgres', 'DATABASE_URL is set'],
    [true, 'embedded', 'no SUPABASE_URL and no DATABASE_URL'],
  ]),
  choice('OBJECTS', variables.OBJECTS, [
    [variables.SUPABASE_URL !== undefined, 'supabase', 'SUPABASE_URL is set'],
    [true, 'folder', 'no SUPABASE_URL'],
  ]),
  choice('GENERATOR', variables.GENERATOR, [
    [variables.OPENAI_API_KEY !== undefined, 'openai', 'OPENAI_API_KEY is set'],
    [true, 'preview', 'no OPENAI_API_KEY'],
  ]),
]

const choice = (name: string, chosen: string | undefined, otherwise: readonly [boolean, string, string][]): Choice => {
  if (chosen !== undefined) return { name, value: chosen, because: `${name} says so` }
  const [, value, because] = otherwise.find(([holds]) => holds) ?? [true, 'unknown', 'nothing applies']
  return { name, value, because }
}

const valueOf = (choices: readonly Choice[], name: string): string =>
  choices.find((one) => one.name === name)?.value ?? ''

const missing = (variables: Variables, choices: readonly Choice[]): string[] => [
  ...['EVENT_LOG', 'STORE']
    .filter((name) => valueOf(choices, name) === 'postgres' && variables.DATABASE_URL === undefined)
    .map((name) => `DATABASE_URL is needed for ${name}=postgres`),
  ...(valueOf(choices, 'EVENT_LOG') === 'kafka' && variables.KAFKA_BROKERS.length === 0
    ? ['KAFKA_BROKERS is needed for EVENT_LOG=kafka']
    : []),
  ...((variables.KAFKA_USERNAME === undefined) !== (variables.KAFKA_PASSWORD === undefined)
    ? ['KAFKA_USERNAME and KAFKA_PASSWORD are needed together']
    : []),
  ...(variables.KAFKA_TLS === false && variables.KAFKA_CA !== undefined
    ? ['KAFKA_CA is for TLS, and KAFKA_TLS turns it off']
    : []),
  ...(valueOf(choices, 'EVENT_LOG') === 'redis' && variables.REDIS_URL === undefined
    ? ['REDIS_URL is needed for EVENT_LOG=redis']
    : []),
  ...supabaseProblems(
    variables,
    choices.filter(({ value }) => value === 'supabase').map(({ name }) => name),
  ),
  ...openaiProblems(variables, valueOf(choices, 'GENERATOR') === 'openai'),
]
