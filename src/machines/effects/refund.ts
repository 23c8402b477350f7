import { fail, inSpan } from '../../tracing/trace.ts'
import type { Platform } from '../ports/platform.ts'
import type { Effects } from '../runtime/worker-context.ts'

/** Does what a failed session owes: gives its credit back, or notes the settlement that an operator asked for. */
export const refund =
  (platform: Pick<Platform, 'refund' | 'settle'>): Effects['refund'] =>
  (session, settlement, fence, _signal, traceparent) =>
    inSpan('refund', { attributes: { 'session.id': session }, parent: traceparent }, async (span) => {
      const outcome = await (settlement === null
        ? platform.refund(session, fence)
        : platform.settle(session, settlement, fence))
      span.setAttribute('outcome', outcome.kind)
      if (outcome.kind === 'error') fail(span, outcome.kind)
      return outcome
    })
