import type { Redis } from 'ioredis'
import { clockDiagnosis, type Diagnosis, fail, ok, partitionsDiagnosis, warn } from '../../machines/ports/diagnosis.ts'
import type { Clock } from '../../machines/ports/environment.ts'
import { lookOnce } from './connection.ts'
import { logKeys } from './keys.ts'
import {
  FULL_COVERAGE,
  FULL_COVERAGE_WARNING,
  refuseServer,
  type ServerFacts,
  serverWarnings,
  UnfitServer,
} from './server-check.ts'

/** Says how fit a Redis is for a log, or for the bridge alone (`partitions` null), and changes nothing. @throws RedisUnreachable */
export const diagnoseRedis = (
  url: string,
  { partitions, clock }: { partitions: number | null; clock: Clock },
): Promise<Diagnosis[]> =>
  lookOnce(url, async (node, facts) => [
    ok(
      'redis',
      `answers at ${new URL(url).host}, ${versionOf(facts)}${facts.isCluster ? ', a node of a cluster' : ''}`,
    ),
    ...fitness(facts, await looseSettings(node, facts)),
    await clockOf(node, clock),
    ...(partitions === null ? [] : [partitionsDiagnosis(await partitionsOf(node), partitions)]),
  ])

const versionOf = ({ version }: ServerFacts): string =>
  version === null ? 'of an unknown version' : `version ${version.join('.')}`

/** What the start refuses, and what is unsafe. */
const fitness = (facts: ServerFacts, loose: readonly string[]): Diagnosis[] => {
  try {
    refuseServer(facts)
  } catch (error) {
    if (error instanceof UnfitServer) return [fail('redis settings', error.message)]
    throw error
  }
  const warnings = [...serverWarnings(facts), ...loose].map((text) => warn('redis settings', text))
  return warnings.length > 0 ? warnings : [ok('redis settings', 'keeps an append-only file, and drops no keys')]
}

/** What INFO does not tell; nothing where the user may not ask. */
const looseSettings = async (node: Redis, { isCluster, appendOnly }: ServerFacts): Promise<string[]> => {
  const setting = async (name: string) => ((await node.config('GET', name).catch(() => [])) as string[])[1]
  const unwritten = appendOnly === true && (await setting('appendfsync')) === 'no'
  const covered = isCluster && (await setting(FULL_COVERAGE)) === 'yes'
  return [
    ...(unwritten ? ['appendfsync is no: a power cut loses what the kernel had not written; set everysec'] : []),
    ...(covered ? [FULL_COVERAGE_WARNING] : []),
  ]
}

const clockOf = async (node: Redis, clock: Clock): Promise<Diagnosis> => {
  const askedMs = clock.now()
  const [seconds, microseconds] = await node.time()
  return clockDiagnosis('redis', Number(seconds) * 1_000 + Number(microseconds) / 1_000, askedMs, clock.now())
}

/** Null for a log that is not there, or whose record lies on another node of a cluster. */
const partitionsOf = async (node: Redis): Promise<number | null> => {
  const text = await node.hget(logKeys('wearon', 0).log, 'partitions').catch(() => null)
  return text === null ? null : Number(text)
}
