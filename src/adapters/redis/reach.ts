import type { Clock } from '../../machines/ports/environment.ts'
import { inTime } from '../../machines/runtime/in-time.ts'
import { isCallsFault, LogGone } from './errors.ts'
import type { PartitionCall, PartitionCalls, PartitionScript } from './partition-calls.ts'

/**
 * One answer for each partition, null where a cluster's node does not give it in time: the partitions of the others do not wait
 * for it. Rejects when none answers, when the log is gone, and when the call itself is at fault.
 */
export const reachEach = async <Answer>(
  calls: PartitionCalls,
  script: PartitionScript,
  common: PartitionCall['args'],
  told: readonly PartitionCall[],
  within: { readonly clock: Clock; readonly ms: number },
): Promise<(Answer | null)[]> => {
  if (calls.together) return calls.each<Answer>(script, common, told)
  const outcomes = await Promise.allSettled(
    told.map((call) => inTime(calls.each<Answer>(script, common, [call]), within.ms, within.clock)),
  )
  const failures = outcomes.flatMap((outcome): unknown[] => (outcome.status === 'rejected' ? [outcome.reason] : []))
  const fatal = failures.filter((error) => error instanceof LogGone || isCallsFault(error))
  if (fatal.length > 0 || (failures.length > 0 && failures.length === told.length)) throw fatal[0] ?? failures[0]
  return outcomes.map((outcome) => (outcome.status === 'fulfilled' ? (outcome.value[0] ?? null) : null))
}
