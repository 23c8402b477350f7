import type { Argument, RedisConnection, Script } from './connection.ts'
import { inOurWords } from './errors.ts'
import type { LogKeys, PartitionKeys } from './keys.ts'

/** What a script is told of one partition. */
export interface PartitionCall {
  readonly partition: number
  readonly args: readonly Argument[]
}

/** Which keys of each partition a script works on, in its order. */
const KEYS = {
  create_partition: ['meta'],
  publish: ['meta', 'inbox', 'open', 'closed'],
  take: ['inbox', 'open', 'closed'],
  load: ['open', 'closed'],
  commit: ['meta', 'inbox', 'journal', 'open', 'closed', 'closings', 'letters', 'burials'],
  read: ['meta', 'journal'],
  look: ['meta', 'inbox'],
  unread: ['inbox'],
  letters: ['letters', 'burials'],
  letter: ['letters'],
  mark_letter: ['letters', 'burials'],
  erase_letter: ['letters', 'burials'],
  count_letters: ['meta', 'burials'],
  trim: ['meta', 'journal', 'closed', 'closings', 'readers'],
  readers: ['meta', 'journal', 'readers'],
  forget_reader: ['readers'],
  identities: ['meta'],
  beat: ['meta'],
  acquire: ['meta'],
  release: ['meta'],
} as const satisfies Partial<Record<Script, readonly (keyof PartitionKeys)[]>>

export type PartitionScript = keyof typeof KEYS

/** Runs scripts over partitions: one call for all on a single node, on a cluster one for each, all under way at once. */
export interface PartitionCalls {
  /** All partitions lie on one node, and answer together or not at all. */
  readonly together: boolean
  /** One answer for each partition, in their order. `common` goes before what is said of each. */
  each<Answer>(
    script: PartitionScript,
    common: readonly Argument[],
    calls: readonly PartitionCall[],
    as?: 'texts' | 'bytes',
  ): Promise<Answer[]>
}

export const partitionCalls = (redis: RedisConnection, keys: LogKeys, identity: string): PartitionCalls => {
  const together = async <Answer>(
    script: PartitionScript,
    common: readonly Argument[],
    calls: readonly PartitionCall[],
    as: 'texts' | 'bytes' = 'texts',
  ): Promise<Answer[]> => {
    const names = calls.flatMap(({ partition }) => KEYS[script].map((name) => keys.partition(partition)[name]))
    const args = [identity, calls.length, ...common, ...calls.flatMap((call) => call.args)]
    const running = as === 'bytes' ? redis.runForBytes(script, names, args) : redis.run(script, names, args)
    const answers = await running.catch((error: unknown) => {
      throw inOurWords(error)
    })
    // Our own script answers one for each.
    return answers as Answer[]
  }
  if (redis.spansSlots) {
    return {
      together: true,
      each: async (script, common, calls, as) => (calls.length > 0 ? together(script, common, calls, as) : []),
    }
  }
  return {
    together: false,
    each: async (script, common, calls, as) => {
      const answers = await Promise.all(calls.map((call) => together(script, common, [call], as)))
      return answers.flat(1) as never[]
    },
  }
}
