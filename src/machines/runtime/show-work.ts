import type { PartitionStatus } from './partition-status.ts'
import type { WorkerContext } from './worker-context.ts'

/** Shows as metrics what this process holds and does at the moment. */
export const showWork = (
  { env, generations, refunds }: Pick<WorkerContext, 'env' | 'generations' | 'refunds'>,
  partitions: readonly PartitionStatus[],
): void => {
  const { clock, meter } = env
  for (const state of ['starting', 'running', 'damaged'] as const) {
    meter.gauge('partitions_held', partitions.filter((one) => one.state === state).length, { state })
  }
  const nowMs = clock.now()
  const stepsMs = partitions.map(({ steppingSince }) => (steppingSince === null ? 0 : nowMs - steppingSince))
  meter.gauge('partition_step_seconds', Math.max(0, ...stepsMs) / 1_000)
  for (const [effect, pool] of Object.entries({ generation: generations, refund: refunds })) {
    meter.gauge('effects_running', pool.running, { effect })
    meter.gauge('effects_waiting', pool.waiting, { effect })
  }
}
