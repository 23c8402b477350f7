import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Environment } from '../src/machines/ports/environment.ts'

/** The real clock and chance, no metrics, no log. */
export const benchEnvironment: Environment = {
  clock: {
    now: Date.now,
    sleep: (ms, signal) =>
      sleep(Math.min(ms, 2 ** 31 - 1), undefined, signal && { signal }).catch(() => {}),
  },
  meter: { count: () => {}, observe: () => {}, gauge: () => {} },
  logger: { info: () => {}, warn: () => {}, error: (fields, message) => console.error(message, fields) },
  newId: () => randomBytes(16).toString('hex'),
  random: Math.random,
}

export const median = (values: readonly number[]): number => {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN
}
