import type { EventLog } from '../../src/machines/ports/event-log.ts'
import { startEngine } from '../support/engine.ts'
import { publishAll } from '../support/task.ts'
import type { Contender } from './contender.ts'

/** A log of nobody else, and how to let go of it. */
export interface FreshLog {
  readonly log: EventLog
  readonly close: () => Promise<void>
}

/** The engine with its machine and schemas, on any log. */
export const ours = (name: string, openLog: () => Promise<FreshLog>): Contender => ({
  name,
  open: async () => {
    const { log, close } = await openLog()
    const engine = startEngine({ log })
    await engine.holds(log.partitions)
    return {
      prepare: async (tasks) => () => publishAll(log, tasks),
      onEnd: (listener) => engine.onCommit(({ tombstones }) => tombstones.forEach(({ id }) => listener(id))),
      close: async () => {
        await engine.stop()
        await close()
      },
    }
  },
})
