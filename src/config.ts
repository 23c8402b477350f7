import { join, resolve } from 'node:path'
import { type Choice, type Choices, choose } from './config/choices.ts'
import { kafkaOf, kafkaProblems } from './config/kafka.ts'
import { openaiOf, openaiProblems } from './config/openai.ts'
import { poseOf } from './config/pose.ts'
import { supabaseOf, supabaseProblems } from './config/supabase.ts'
import { tracingOf } from './config/tracing.ts'
import { ROLES, type Role, Variables } from './config/variables.ts'
import { defaultPolicy, type Policy } from './machines/policy.ts'

export interface Config {
  readonly port: number
  readonly host: string
  readonly dataDir: string
  readonly objects: Choices['objects']['value']
  readonly objectsDir: string
  readonly roles: ReadonlySet<Role>
  readonly eventLog: Choices['eventLog']['value']
  readonly store: Choices['store']['value']
  readonly databaseUrl: string | undefined
  readonly redisUrl: string | undefined
  /** The project's address and the key of its service role. */
  readonly supabase: ReturnType<typeof supabaseOf>
  /** Null unless it makes the images. */
  readonly openai: ReturnType<typeof openaiOf>
  readonly kafka: ReturnType<typeof kafkaOf>
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
  readonly orphans: Variables['ORPHANS']
  readonly logLevel: Variables['LOG_LEVEL']
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
  const problems = problemsOf(variables, choices)
  if (problems.length > 0) throw new ConfigError(problems)
  const dataDir = resolve(variables.DATA_DIR)
  return {
    port: variables.PORT,
    host: variables.HOST,
    dataDir,
    objects: choices.objects.value,
    objectsDir: join(dataDir, 'objects'),
    roles: new Set(variables.ROLES.length > 0 ? variables.ROLES : ROLES),
    eventLog: choices.eventLog.value,
    store: choices.store.value,
    databaseUrl: variables.DATABASE_URL,
    redisUrl: variables.REDIS_URL,
    supabase: supabaseOf(variables),
    openai: choices.generator.value === 'openai' ? openaiOf(variables) : null,
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
    choices: Object.values(choices),
  }
}

/** What is wrong with variables that are each right by themselves, one line for each fault. */
const problemsOf = (variables: Variables, choices: Choices): string[] => {
  const chosen = (value: string): string[] =>
    Object.values(choices)
      .filter((choice) => choice.value === value)
      .map(({ name }) => name)
  return [
    ...(variables.DATABASE_URL === undefined
      ? chosen('postgres').map((name) => `DATABASE_URL is needed for ${name}=postgres`)
      : []),
    ...kafkaProblems(variables, choices.eventLog.value === 'kafka'),
    ...(choices.eventLog.value === 'redis' && variables.REDIS_URL === undefined
      ? ['REDIS_URL is needed for EVENT_LOG=redis']
      : []),
    ...supabaseProblems(variables, chosen('supabase')),
    ...openaiProblems(variables, choices.generator.value === 'openai'),
  ]
}
