import { randomUUID } from 'node:crypto'
import { memoryLog, memoryLogState } from '../../src/adapters/memory/event-log.ts'
import type { SHAPE } from '../contracts/event-log.ts'
import type { ReadersWorld } from '../contracts/journal-readers.ts'
import { freezable, virtualClock } from './clock.ts'

const STEP_MS = 100
const DEADLINE_MS = 120_000

/** A log in memory on a virtual clock, opened by as many "processes" as a test wants. */
export const memoryLogWorld = (shape: typeof SHAPE): ReadersWorld => {
  const clock = virtualClock()
  const state = memoryLogState(shape.partitions, randomUUID())
  return {
    open: async (partitions = shape.partitions) => {
      const own = freezable(clock)
      let losesAnswer = false
      const call = async <Value>(operation: () => Promise<Value>) => {
        const value = await operation()
        if (!losesAnswer) return value
        losesAnswer = false
        throw new Error('connection lost')
      }
      const log = memoryLog({ ...shape, partitions, state, clock: own, newId: randomUUID, call })
      return {
        log,
        freeze: () => own.freeze(),
        loseAnswerOfCommit: () => {
          losesAnswer = true
        },
      }
    },
    reader: (name) => ({
      register: async () => {
        state.data.readers.set(name, new Map(state.data.partitions.map((_, partition) => [partition, 0])))
      },
      report: async (partition, number) => {
        state.data.readers.get(name)?.set(partition, number)
      },
    }),
    eventually: async (check) => {
      for (let passed = 0; ; passed += STEP_MS) {
        try {
          return await check()
        } catch (error) {
          if (passed >= DEADLINE_MS) throw error
          await clock.advance(STEP_MS)
        }
      }
    },
    close: async () => undefined,
  }
}
