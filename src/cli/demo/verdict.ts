import type { PlatformView } from '../../adapters/postgres/platform-view.ts'
import type { Fact } from '../../events/fact.ts'
import type { OpenedLetterAnswer, ReconciliationAnswer, RefundAnswer, SessionAnswer } from '../answers.ts'
import { type Account, chargeOf, type Plot, type Scene } from './plot.ts'

/** Credits that every account of the demo begins with. */
export const FIRST_CREDITS = 10

export interface SceneOutcome {
  readonly session: SessionAnswer
  readonly facts: readonly Fact[]
  readonly row: Awaited<ReturnType<PlatformView['row']>>
  readonly refund: RefundAnswer | null
}

/** What became of everything that the demo played. */
export interface Outcome {
  readonly scenes: ReadonlyMap<string, SceneOutcome>
  readonly balances: ReadonlyMap<string, number | null>
  readonly letters: readonly OpenedLetterAnswer[]
  readonly reconciliation: ReconciliationAnswer
}

/** What differs from what must have become of it, one line each; empty when all is well. */
export const differences = (plot: Plot, outcome: Outcome): string[] => [
  ...plot.scenes.flatMap((scene) => sceneDifferences(scene, outcome.scenes.get(scene.sessionId))),
  ...plot.accounts.flatMap((account) =>
    unequal(`${account.name}: credits`, outcome.balances.get(account.name), creditsLeft(account, plot)),
  ),
  ...lettersDifferences(plot, outcome),
  ...unequal('the books are balanced', outcome.reconciliation.balanced, true),
  ...unequal('credits still owed', outcome.reconciliation.owed, 0),
  ...unequal('credits charged', outcome.reconciliation.charged, plot.scenes.length),
]

/** What an account must have left: completed sessions cost one credit, the others nothing. */
export const creditsLeft = (account: Account, { scenes }: Plot): number =>
  FIRST_CREDITS - scenes.filter((scene) => scene.account === account && scene.expected.state === 'completed').length

/** The bytes that nobody could read, and every task that was malformed. */
const lettersDifferences = ({ garbage, scenes }: Plot, { letters }: Outcome): string[] => {
  const kept = letters.map(({ text }) => text ?? '')
  const malformed = scenes.filter(({ sent }) => sent === 'malformed')
  return [
    ...unequal('dead letters', kept.length, 1 + malformed.length),
    ...unequal('dead letters with the broken bytes', kept.filter((text) => text === garbage.toString()).length, 1),
    ...malformed.flatMap(({ title, sessionId }) =>
      unequal(`${title}: dead letters`, kept.filter((text) => text.includes(sessionId)).length, 1),
    ),
  ]
}

const sceneDifferences = ({ title, account, expected }: Scene, outcome: SceneOutcome | undefined): string[] => {
  if (outcome === undefined) return [`${title}: nothing is known of it`]
  const { session, facts, row, refund } = outcome
  const completed = expected.state === 'completed'
  const times = (type: Fact['type']) => facts.filter((fact) => fact.type === type).length
  const check = (what: string, is: unknown, must: unknown) => unequal(`${title}: ${what}`, is, must)
  return [
    ...check('state', session.state, expected.state),
    ...check('status of its row', row?.status, completed ? 'completed' : 'failed'),
    ...check('image in its row', typeof row?.imageUrl === 'string', completed),
    ...check('tries', times('generation.started'), expected.tries),
    ...check('failure code', session.failure_code, expected.failureCode),
    ...check('how often it was taken', times('generation.requested') + times('generation.rejected'), 1),
    ...check('how often it completed', times('generation.completed'), completed ? 1 : 0),
    ...check('how often it was refunded', times('refund.issued'), completed ? 0 : 1),
    ...check('state of its refund', completed ? 'none' : refund?.state, completed ? 'none' : 'issued'),
    ...check('who got the refund', completed ? 'nobody' : refund?.payer?.kind, completed ? 'nobody' : payerOf(account)),
  ]
}

const payerOf = (account: Account) => {
  if (chargeOf(account) === 'shopper') return 'shopper'
  return account.owner.channel === 'b2b' ? 'store' : 'user'
}

const unequal = (what: string, is: unknown, must: unknown): string[] =>
  is === must ? [] : [`${what}: ${String(is)} instead of ${String(must)}`]
