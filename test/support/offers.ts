import type { FailureCode } from '../../src/events/codes.ts'
import type { NewFact } from '../../src/events/fact.ts'
import type { SessionContext } from '../../src/machines/session.ts'
import * as facts from './facts.ts'

/** One failure of each kind of retry. */
const codes: FailureCode[] = ['provider_malformed', 'internal', 'rate_limited', 'outcome_unknown']

const later = facts.START_MS + 60_000

/** Every fact there is, with the present attempt and with wrong ones, as it may be offered to a session in any state. */
export const offers = ({ attempt }: SessionContext): NewFact[] => [
  facts.requested(),
  facts.requested({ owner: facts.user, prompt: 'a red coat' }),
  facts.requested({ source: 'list' }),
  facts.released(),
  facts.handedBack(),
  facts.rejected('prompt: has a NUL character'),
  facts.imported('completed'),
  facts.imported('failed'),
  facts.cancelled(),
  facts.withdrawn(),
  ...[attempt - 1, attempt, attempt + 1, attempt + 2].filter((number) => number >= 0).flatMap(attemptOffers),
  facts.refundRequested(),
  facts.issued(),
  facts.retrying(3, later),
  facts.waived(),
  facts.escalated(4, later),
  facts.settlementRequested(),
  facts.settled(),
  facts.approved(),
]

const attemptOffers = (attempt: number): NewFact[] => [
  facts.started(attempt),
  ...codes.map((code) => facts.deferred(code, attempt, later)),
  facts.completed(attempt),
  facts.failed('provider_malformed', attempt),
]
