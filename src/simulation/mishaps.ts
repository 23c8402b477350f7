import { type MemoryLogData, memoryLogState } from '../adapters/memory/log-state.ts'
import { partitionOf, type SessionId } from '../events/ids.ts'
import { CHAOS_MS, type Stage } from './stage.ts'
import { PARTITIONS } from './world.ts'

/** An answer takes no longer, but for a process that stands still meanwhile. */
const ANSWER_MS_MAX = 20

export const stopTheStore = (stage: Stage): void => {
  stage.scheduler.after(stage.scheduler.between(0, CHAOS_MS), () => {
    stage.world.storeDownUntil = stage.scheduler.now() + stage.scheduler.between(1_000, 60_000)
  })
}

export const stopTheLedger = (stage: Stage): void => {
  stage.scheduler.after(stage.scheduler.between(0, CHAOS_MS), () => {
    stage.world.ledgerRefusesUntil = stage.scheduler.now() + stage.scheduler.between(10_000, 200_000)
  })
}

/** The log goes back to an earlier moment while everyone is at work, as after a failover, and grows on from there. */
export const loseTheTail = (stage: Stage): void => {
  const cutAt = stage.scheduler.between(20_000, CHAOS_MS)
  stage.scheduler.after(cutAt, () => {
    const earlier: MemoryLogData = structuredClone(stage.world.log.data)
    stage.scheduler.after(stage.scheduler.between(100, 10_000), () => {
      stage.world.log.data = earlier
      noteLoss(stage)
    })
  })
}

/** Everything dies, and what comes back finds another log with nothing in it; store and ledger are as they were. */
export const replaceTheLog = (stage: Stage): void => {
  stage.scheduler.after(stage.scheduler.between(5_000, CHAOS_MS), () => {
    stage.world.log.data = memoryLogState(PARTITIONS, 'log-2').data
    stage.world.killAll()
    noteLoss(stage)
  })
}

/** As far as the log itself is durable: what the session's partition had taken and nobody else has seen is gone. */
const noteLoss = (stage: Stage): void => {
  stage.lostAt = stage.scheduler.now()
  for (const id of stage.accepted)
    if (!stage.world.store.sessions.has(id) && !holdsTraceOf(id, stage.world.log.data)) stage.accepted.delete(id)
  // A try may still begin whose start was acknowledged just before: the answer was on its way.
  stage.scheduler.after(ANSWER_MS_MAX, () => {
    stage.world.tries = []
  })
}

const holdsTraceOf = (id: SessionId, data: MemoryLogData): boolean => {
  const home = data.partitions[partitionOf(id, PARTITIONS)]
  if (home === undefined) return false
  return (
    home.snapshots.has(id) || home.tombstones.has(id) || home.inbox.some(({ bytes }) => Buffer.from(bytes).includes(id))
  )
}
