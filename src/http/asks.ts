import { type Ask, encodeAsk, OUR_SOURCE } from '../events/command.ts'
import { partitionOf } from '../events/ids.ts'
import { text } from '../events/text.ts'
import type { HttpParts } from './parts.ts'
import { reach } from './problem.ts'

const OPERATOR_MAX = 100
const WHY_MAX = 1_000

/** Who asks, in a body; with an API key it is the key's name, whatever the body says (`actorOf`). */
export const By = text(OPERATOR_MAX).min(1).optional()
/** Why, for whoever looks later. */
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
