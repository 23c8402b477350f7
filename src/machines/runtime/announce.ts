import { failures } from '../../events/codes.ts'
import type { Fact } from '../../events/fact.ts'
import type { Environment } from '../ports/environment.ts'

/** Counts a fact that became durable, and says aloud what an operator must see. */
export const announce = ({ meter, logger }: Pick<Environment, 'meter' | 'logger'>, fact: Fact): void => {
  const { type, sessionId } = fact
  meter.count('facts_total', { type })
  if (type === 'refund.escalated') logger.error({ sessionId }, 'a refund is owed for too long: see to it')
  if (type !== 'generation.deferred' && type !== 'generation.failed') return
  const { code, attempt, detail } = fact.data
  meter.count('generation_failures_total', { code, outcome: type === 'generation.failed' ? 'failed' : 'retried' })
  if ('alert' in failures[code])
    logger.error({ sessionId, attempt, code, detail, alert: true }, 'a try ended in a way that an operator must see')
}
