import { expect, it } from 'vitest'
import type { EventLog } from '../../src/machines/ports/event-log.ts'
import { eventually } from '../support/eventually.ts'
import { commitOf, message, nextStep } from '../support/log-samples.ts'
import { startWorker } from '../support/log-worker.ts'

/** A new log on a server that can be killed. Its leases outlast the outage. */
export interface OutageWorld {
  readonly log: EventLog
  /** Kills the server as `kill -9` does, and starts it again on the same data. */
  restart(): Promise<unknown>
  close(): Promise<void>
}

/** What a log on a server promises of that server's sudden death. */
export const logOutageLaw = (open: () => Promise<OutageWorld>): void => {
  it('goes on by itself once its killed server is back, hears of arrivals again, and has lost no step', async () => {
    const world = await open()
    const { log } = world
    const worker = startWorker(log)
    const lease = await eventually(() => worker.lease(0))
    const first = nextStep(lease, null)
    await lease.commit(commitOf({ step: first }))
    let arrivals = 0
    lease.onArrival(() => arrivals++)

    const restarting = world.restart()
    const second = nextStep(lease, first)
    const committing = lease.commit(commitOf({ step: second }))
    await Promise.all([restarting, committing])
    expect(await eventually(() => log.journal(new Map([[0, 0]]), 10))).toEqual([first, second])

    await eventually(() => log.publish([message(0, 'a')]))
    await eventually(() => expect(arrivals).toBeGreaterThan(0))
    expect(await eventually(() => lease.take({ messages: 9, bytes: 1_000 }))).toHaveLength(1)
    await worker.stop()
    await world.close()
  })
}
