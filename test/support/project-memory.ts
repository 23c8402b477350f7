import { openMemoryStore } from '../../src/adapters/memory/store.ts'
import { emptyStoreState } from '../../src/adapters/memory/store-state.ts'
import type { Environment } from '../../src/machines/ports/environment.ts'
import type { Step } from '../../src/machines/ports/event-log.ts'
import { type VirtualClock, virtualClock } from './clock.ts'
import { LOG } from './store-world.ts'

export interface Recorded {
  readonly environment: Environment
  readonly clock: VirtualClock
  /** What was logged as an error, with its fields. */
  readonly errors: object[]
}

/** An environment whose time passes when a test says so, and whose errors a test can read. */
export const recordedEnvironment = (): Recorded => {
  const clock = virtualClock()
  const errors: object[] = []
  const nothing = () => {}
  return {
    clock,
    errors,
    environment: {
      clock,
      meter: { count: nothing, observe: nothing, gauge: nothing },
      logger: { info: nothing, warn: nothing, error: (fields) => errors.push(fields) },
      newId: () => 'id',
      random: () => 0.5,
    },
  }
}

/** Journals that a test writes, and the store that reads them; a deaf log tells nobody of its growth. */
export const journalsAndStore = (clock: VirtualClock, deaf = false) => {
  const steps: Step[] = []
  const listeners = new Set<() => void>()
  const log = {
    partitions: 2,
    identity: async () => LOG,
    journal: async (after: ReadonlyMap<number, number>, limit: number) =>
      steps.filter((step) => step.number > (after.get(step.partition) ?? Number.POSITIVE_INFINITY)).slice(0, limit),
    onGrowth: (listener: () => void) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
  }
  const write = (...more: readonly Step[]) => {
    steps.push(...more)
    if (!deaf) for (const listener of listeners) listener()
  }
  return { log, write, store: openMemoryStore(emptyStoreState(), { clock, rowsOwner: 'ours' }) }
}
