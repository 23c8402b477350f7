import { z } from 'zod'
import { defaultPolicy } from '../machines/policy.ts'
import { isProxy } from './proxy.ts'

/** What a process can be: the API, the worker, the projector that keeps the tables, the bridge from the producers' list. */
export const ROLES = ['api', 'worker', 'projector', 'bridge'] as const
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
export const Variables = z.object({
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
export type Variables = z.infer<typeof Variables>
