import { isoTime } from '../events/text.ts'
import type { Caller } from './caller.ts'
import type { HttpParts } from './parts.ts'
import { Problem, reach } from './problem.ts'
import type { Noted } from './route.ts'

/**
 * Writes into the audit what is asked before it is done, so that nothing is done that is not there, and afterwards how it
 * ended. Where the outcome could not be written the entry stays without one, as after a crash.
 */
export const notedFor =
  (caller: Caller, requestId: string, { audit, env }: HttpParts): Noted =>
  async (asked, work) => {
    const id = env.newId()
    const { name: actor, keyId } = caller
    await reach(audit.begin({ id, at: isoTime(env.clock.now()), actor, keyId, requestId, ...asked }))
    const end = async (outcome: string) => {
      try {
        await audit.end(id, outcome)
      } catch (error) {
        env.meter.count('audit_failures_total')
        env.logger.error({ requestId, entry: id, outcome, error }, 'the audit could not be told how it ended')
      }
    }
    try {
      const answer = await work()
      await end('done')
      return answer
    } catch (error) {
      await end(error instanceof Problem ? error.code : 'internal')
      throw error
    }
  }
