import type { z } from 'zod'
import { type Ask, encodeAsk, OUR_SOURCE } from '../events/command.ts'
import { partitionOf } from '../events/ids.ts'
import { text } from '../events/text.ts'
import { readJson } from './body.ts'
import type { HttpParts } from './parts.ts'
import { bodyFaults, Problem, reach } from './problem.ts'

const OPERATOR_MAX = 100
const WHY_MAX = 1_000

/** Who asks, and why, in a body: until there are API keys, the body says who acts. */
export const By = text(OPERATOR_MAX).min(1)
export const Why = text(WHY_MAX).min(1)

export const operator = (name: string) => ({ role: 'operator', name }) as const

/** Hands commands to the owners of their sessions. @throws Problem when the log does not answer */
export const publishAsks = async (asks: readonly Ask[], { log }: Pick<HttpParts, 'log'>): Promise<void> => {
  if (asks.length === 0) return
  const messages = asks.map((ask) => ({
    partition: partitionOf(ask.sessionId, log.partitions),
    bytes: encodeAsk(ask),
    source: OUR_SOURCE,
  }))
  await reach(log.publish(messages))
}

/** @throws Problem with one entry for each fault. */
export const readBody = <Value>(schema: z.ZodType<Value>, body: Uint8Array): Value => {
  const found = schema.safeParse(readJson(body))
  if (!found.success) throw new Problem('invalid_request', { faults: bodyFaults(found.error) })
  return found.data
}
