import { assertNever } from '../../events/assert-never.ts'
import type { GenerationOutcome } from '../effects/outcome.ts'
import { errorName } from '../error-name.ts'
import type { RefundOutcome } from '../ports/platform.ts'
import type { Ended } from './bounded-effect.ts'

const NO_ANSWER = 'no answer within the time limit'

/** What a generation came to. Null when nobody waits for it: it was aborted because its session or its partition moved on. */
export const generationOutcome = (ended: Ended<GenerationOutcome>): GenerationOutcome | null => {
  switch (ended.how) {
    case 'done':
      return ended.value
    case 'timeout':
      return { kind: 'failed', code: 'outcome_unknown', detail: NO_ANSWER }
    case 'threw':
      return { kind: 'failed', code: 'internal', detail: errorName(ended.error) }
    case 'aborted':
      return null
    default:
      return assertNever(ended)
  }
}

/** What a refund came to; null as above. */
export const refundOutcome = (ended: Ended<RefundOutcome>): RefundOutcome | null => {
  switch (ended.how) {
    case 'done':
      return ended.value
    case 'timeout':
      return { kind: 'error', detail: NO_ANSWER }
    case 'threw':
      return { kind: 'error', detail: errorName(ended.error) }
    case 'aborted':
      return null
    default:
      return assertNever(ended)
  }
}
