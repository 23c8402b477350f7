import type { RedisConnection } from './connection.ts'
import type { LogKeys } from './keys.ts'
import { partitionCalls } from './partition-calls.ts'

interface CreatedLog {
  readonly identity: string
  readonly partitions: number
}

/**
 * Creates what is missing of the log, and answers what it is. On a cluster the log's own record and each partition may be lost
 * apart: what is left keeps its identity, so that only what was lost is found damaged.
 */
export const createLog = async (
  redis: RedisConnection,
  keys: LogKeys,
  partitions: number,
  newId: () => string,
): Promise<CreatedLog> => {
  const all = Array.from({ length: partitions }, (_, partition) => ({ partition, args: [] }))
  const wanted = (await readIdentity(redis, keys)) || (await leftIdentity(redis, keys, partitions)) || newId()
  const log = (await redis.run('create', [keys.log], [wanted, 1, partitions])) as [string, string]
  const created = { identity: log[0], partitions: Number(log[1]) }
  // The keys of more partitions than the log has must not come into being.
  if (created.partitions !== partitions) return created
  const owners = await partitionCalls(redis, keys, created.identity).each<string>('create_partition', [], all)
  const stranger = owners.findIndex((identity) => identity !== created.identity)
  if (stranger < 0) return created
  throw new Error(
    `partition ${stranger} in Redis belongs to the log ${owners[stranger]}, and this one is ${created.identity}: ` +
      `remove the keys of one of both`,
  )
}

/** Whose the log's own record is; empty where there is none. */
export const readIdentity = async (redis: RedisConnection, keys: LogKeys): Promise<string> => {
  const [identity = ''] = (await redis.run('identities', [keys.log], ['', 1])) as string[]
  return identity
}

const leftIdentity = async (redis: RedisConnection, keys: LogKeys, partitions: number): Promise<string> => {
  const all = Array.from({ length: partitions }, (_, partition) => ({ partition, args: [] }))
  const left = await partitionCalls(redis, keys, '').each<string>('identities', [], all)
  return left.find((identity) => identity !== '') ?? ''
}
