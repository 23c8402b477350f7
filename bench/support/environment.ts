import { randomUUID } from 'node:crypto'
import { steadyClock } from '../../src/adapters/system/clock.ts'
import type { Environment } from '../../src/machines/ports/environment.ts'

/** The real clock and chance, no metrics, no log. */
export const benchEnvironment = {
  clock: steadyClock(),
  meter: { count: () => {}, observe: () => {}, gauge: () => {} },
  logger: { info: () => {}, warn: () => {}, error: (fields, message) => console.error(message, fields) },
  newId: () => randomUUID(),
  random: Math.random,
} satisfies Environment
