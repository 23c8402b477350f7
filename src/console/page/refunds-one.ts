import { byFields, saidBy } from './lib/by.ts'
import { ask } from './lib/dialog.ts'
import { h, replace } from './lib/dom.ts'
import { Outcome } from './lib/outcome.ts'
import type { Page, PageContext } from './lib/page.ts'
import { pageHead } from './lib/page-head.ts'
import { keepDrawn } from './lib/poll.ts'
import { linkTo } from './lib/router.ts'
import { isOwed, stateOf } from './refunds-known.ts'
import { type Story, storyParts } from './refunds-story.ts'

const WHY_MAX = 1_000
/** What was asked goes to the session's owner, and shows when the tables have followed. */
const POLL_MS = 2_000

/** What lies behind one refund, and what finance can do about it. */
export const page: Page = {
  path: '/refunds/:id',
  title: 'A refund',
  nav: null,
  scope: 'finance',
  show: async (main, context) => {
    const outcome = new Outcome()
    const body = h('div', {})
    const { signal } = context
    await keepDrawn({ everyMs: POLL_MS, signal, read: () => read(context) }, (story, redraw) =>
      replace(body, drawn(story, context, outcome, redraw)),
    )
    main.append(h('p', {}, h('a', { href: linkTo('/refunds') }, '← Refunds')), outcome.element, body)
  },
}

const idOf = ({ params }: PageContext): string => encodeURIComponent(params['id'] ?? '')

const read = (context: PageContext): Promise<Story> => context.api.get(`/v1/refunds/${idOf(context)}`)

const drawn = (story: Story, context: PageContext, outcome: Outcome, redraw: () => Promise<void>) => [
  pageHead(
    'Refund',
    story.refund && stateOf(story.refund),
    context.may('read') && h('a', { href: linkTo(`/sessions/${idOf(context)}`) }, 'The session'),
    story.refund !== null &&
      isOwed(story.refund) &&
      h(
        'div',
        { class: 'end buttons' },
        buttonsOf(context, async (said) => {
          outcome.say(said)
          await redraw()
        }),
      ),
  ),
  storyParts(story),
]

type Done = (said: string) => Promise<void>

const buttonsOf = (context: PageContext, done: Done) => [
  h('button', { type: 'button', class: 'danger', onclick: () => void settle(context, done) }, 'Settle by hand …'),
  h('button', { type: 'button', class: 'primary', onclick: () => void retry(context, done) }, 'Try again now …'),
]

const ASKED = 'Asked: it goes to the owner of the session, and shows here in a moment.'

const retry = (context: PageContext, done: Done): Promise<boolean> =>
  ask({
    title: 'Try this refund again now?',
    text: 'It changes nothing if the credits were given back meanwhile.',
    fields: byFields(context.me),
    action: 'Try again',
    work: async (values) => {
      await context.api.post(`/v1/refunds/${idOf(context)}/retry`, saidBy(values))
      await done(ASKED)
    },
  })

const HOWS = [
  ['paid_outside', 'paid in another way'],
  ['given_by_platform', 'given back by the platform itself'],
  ['written_off', 'written off: not at all'],
] as const

const settle = (context: PageContext, done: Done): Promise<boolean> =>
  ask({
    title: 'Settle this refund by hand?',
    text: 'From then on nothing is paid for it any more. It cannot be taken back; whichever is there first counts, a payment or this.',
    fields: [
      ...byFields(context.me),
      { name: 'how', label: 'How the credits were given back', options: HOWS },
      { name: 'why', label: 'Why', required: true, maxLength: WHY_MAX },
    ],
    action: 'Settle by hand',
    danger: true,
    work: async ({ how, why, ...values }) => {
      await context.api.post(`/v1/refunds/${idOf(context)}/settle`, { ...saidBy(values), how, why })
      await done(ASKED)
    },
  })
