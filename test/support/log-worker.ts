import { randomUUID } from 'node:crypto'
import type { EventLog, PartitionLease } from '../../src/machines/ports/event-log.ts'

/** An owner that only holds its partitions, and gives them up when asked. */
export interface LogWorker {
  readonly leases: ReadonlyMap<number, PartitionLease>
  /** The lease on a partition. @throws as long as the worker has none. */
  lease(partition: number): PartitionLease
  /** Gives one partition up although nobody asked for it. */
  giveUp(partition: number): void
  stop(): Promise<void>
}

export const startWorker = (log: EventLog): LogWorker => {
  const leases = new Map<number, PartitionLease>()
  const givenUp = new Map<number, () => void>()
  const stopping = new AbortController()
  const running = log.own(
    {
      id: randomUUID(),
      onLease: async (lease) => {
        leases.set(lease.partition, lease)
        await new Promise<void>((resolve) => {
          givenUp.set(lease.partition, resolve)
          for (const signal of [lease.lost, lease.handover]) {
            // It may have been lost while it was opened.
            if (signal.aborted) resolve()
            signal.addEventListener('abort', () => resolve())
          }
        })
        if (leases.get(lease.partition) === lease) leases.delete(lease.partition)
        await lease.release()
      },
    },
    stopping.signal,
  )
  // A log that is closed under a worker ends it; the test looks at what the worker holds.
  running.catch(() => undefined)
  return {
    leases,
    lease: (partition) => {
      const found = leases.get(partition)
      if (found === undefined) throw new Error(`no lease on partition ${partition}`)
      return found
    },
    giveUp: (partition) => givenUp.get(partition)?.(),
    stop: () => {
      stopping.abort()
      return running
    },
  }
}
