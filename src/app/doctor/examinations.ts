import { connectionOf } from '../../adapters/kafka/access.ts'
import { diagnoseKafka } from '../../adapters/kafka/diagnose.ts'
import { diagnosePostgres, migrationsOf } from '../../adapters/postgres/diagnose.ts'
import { migrationNames } from '../../adapters/postgres/migrate.ts'
import { diagnoseRedis } from '../../adapters/redis/diagnose.ts'
import { diagnoseSupabaseClock } from '../../adapters/supabase/diagnose.ts'
import { openSupabaseObjects } from '../../adapters/supabase/objects.ts'
import { openSupabaseStore } from '../../adapters/supabase/store.ts'
import type { Config } from '../../config.ts'
import type { Diagnosis } from '../../machines/ports/diagnosis.ts'
import { ok } from '../../machines/ports/diagnosis.ts'
import type { ProcessEnvironment } from '../environment.ts'
import { openRecorded } from '../open-recorded.ts'
import { APPLY } from '../open-store.ts'
import { embeddedKeysDiagnoses, keysDiagnosis } from './keys.ts'
import { folderDiagnoses, modelsDiagnoses, providerDiagnosis } from './machine.ts'
import { pausesDiagnosis, serverDiagnoses } from './server.ts'

/** One part that is looked at. What it cannot find out rejects, and is told with the remedy. */
export interface Examination {
  readonly about: string
  readonly remedy: string | null
  readonly run: () => Promise<Diagnosis[]>
}

const KEYS_MAX = 1_000

/** What the configuration needs to work, and nothing else. */
export const examinationsOf = (config: Config, env: ProcessEnvironment, timeoutMs: number): Examination[] => {
  const { clock } = env
  const partitionsIn = (log: Config['eventLog']) => (config.eventLog === log ? config.partitions : null)
  const signal = () => AbortSignal.timeout(timeoutMs)
  const redis = config.redisUrl
  const database = usesPostgres(config) ? (config.databaseUrl ?? '') : null
  const parts: (Examination | null)[] = [
    part('data folder', 'see to DATA_DIR', () => folderDiagnoses(config)),
    redis === undefined
      ? null
      : part('redis', null, () => diagnoseRedis(redis, { partitions: partitionsIn('redis'), clock })),
    config.eventLog === 'kafka'
      ? part('kafka', 'see to KAFKA_BROKERS', () => diagnoseKafka(connectionOf(config.kafka), config.partitions))
      : null,
    database === null
      ? null
      : part('postgres', null, () => diagnosePostgres(database, { partitions: partitionsIn('postgres'), clock })),
    ...supabaseParts(config, env, signal),
    part('provider', null, async () => [providerDiagnosis(config)]),
    part('body estimate', null, () => modelsDiagnoses(config)),
    part('server', null, () => serverDiagnoses(config, signal())),
    part('api keys', null, () =>
      config.store === 'embedded' ? embeddedKeysDiagnoses(config, clock.now(), signal()) : keptOf(config, env),
    ),
  ]
  return parts.filter((one) => one !== null)
}

const part = (about: string, remedy: string | null, run: Examination['run']): Examination => ({ about, remedy, run })

const usesPostgres = ({ eventLog, store }: Config): boolean => eventLog === 'postgres' || store === 'postgres'

const supabaseParts = (config: Config, env: ProcessEnvironment, signal: () => AbortSignal): (Examination | null)[] => {
  const { supabase, store, objects } = config
  if (supabase === null) return []
  const project = async () => [
    ...(await migrationsIn(supabase, env)),
    ...(await diagnoseSupabaseClock(supabase, { clock: env.clock, signal: signal() })),
  ]
  const bucket = async () => {
    await openSupabaseObjects(supabase, { env }).check()
    return [ok('objects', 'the bucket is there')]
  }
  return [
    store === 'supabase' ? part('supabase', null, project) : null,
    objects === 'supabase' ? part('objects', null, bucket) : null,
  ]
}

const migrationsIn = async (
  supabase: NonNullable<Config['supabase']>,
  env: ProcessEnvironment,
): Promise<Diagnosis[]> => {
  const project = openSupabaseStore(supabase, { env, rowsOwner: 'platform' })
  try {
    const applied = new Set(await project.appliedMigrations())
    const missing = (await migrationNames()).filter((name) => !applied.has(name))
    return [ok('supabase', `answers at ${new URL(supabase.url).host}, and takes the key`), migrationsOf(missing, APPLY)]
  } finally {
    await project.close()
  }
}

const keptOf = async (config: Config, env: ProcessEnvironment): Promise<Diagnosis[]> => {
  const opened = await openRecorded(config, env)
  try {
    const { apiKeys, pauses } = opened.store
    const nowMs = env.clock.now()
    return [keysDiagnosis(await apiKeys.list(KEYS_MAX), nowMs), pausesDiagnosis(await pauses.list(), nowMs)]
  } finally {
    await opened.close()
  }
}
