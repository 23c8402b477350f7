import { randomUUID } from 'node:crypto'
import { memoryLog, memoryLogState } from '../../src/adapters/memory/event-log.ts'
import { eventLogContract } from '../contracts/event-log.ts'
import { freezable, virtualClock } from '../support/clock.ts'

const STEP_MS = 100
const DEADLINE_MS = 120_000

eventLogContract('memory', async (shape) => {
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
})
