import { books, short, styled, styledState } from '../text.ts'
import { timeline } from '../timeline.ts'
import type { Plot } from './plot.ts'
import { creditsLeft, FIRST_CREDITS, type Outcome } from './verdict.ts'

/** As much of a dead letter as fits on a line. */
const EXCERPT = 60

const title = (text: string) => `\n${styled('bold', text)}`

/** Everything that happened, for people. */
export const report = (plot: Plot, outcome: Outcome, images: ReadonlyMap<string, string>): string =>
  [
    title('What happened, fact by fact'),
    ...plot.scenes.map((scene) => sceneReport(scene.title, scene.sessionId, outcome, images)),
    title('What was put aside with its bytes, for an operator'),
    ...outcome.letters.map(({ id, reason, text: whole, bytes_base64 }) => {
      const text = whole ?? bytes_base64 ?? ''
      return `  dead letter ${id}  ${reason}  ${styled('gray', text.length > EXCERPT ? `${text.slice(0, EXCERPT)} …` : text)}`
    }),
    title('The books'),
    books(outcome.reconciliation),
    ...plot.accounts.map(
      (account) =>
        `  ${account.name.padEnd(9)} had ${FIRST_CREDITS} credits, has ${outcome.balances.get(account.name) ?? 'none'}` +
        styled('gray', ` (${FIRST_CREDITS - creditsLeft(account, plot)} completed)`),
    ),
  ].join('\n')

const sceneReport = (
  name: string,
  sessionId: string,
  { scenes }: Outcome,
  images: ReadonlyMap<string, string>,
): string => {
  const played = scenes.get(sessionId)
  if (played === undefined) return `  ${name}: nothing is known of it`
  const { session, facts, row } = played
  const image = images.get(sessionId)
  const told =
    session.error_message === null ? '' : `\n             ${styled('gray', 'told')}   “${session.error_message}”`
  const shown = image === undefined ? '' : `\n             ${styled('gray', 'image')}  ${image}`
  return `\n${styled('bold', name)}  ${styled('gray', short(sessionId))}  ${styledState(session.state)}, row says ${row?.status ?? 'nothing'}
${timeline(facts)}${told}${shown}`
}
