import { type Letter, replay, stateOf } from './dead-letters-known.ts'
import { byFields, saidBy } from './lib/by.ts'
import { ask, type Field } from './lib/dialog.ts'
import { h, replace } from './lib/dom.ts'
import { Outcome } from './lib/outcome.ts'
import type { Page, PageContext } from './lib/page.ts'
import { pageHead } from './lib/page-head.ts'
import { keepDrawn } from './lib/poll.ts'
import { linkTo } from './lib/router.ts'
import { jsonBlock, terms } from './lib/terms.ts'
import { moment, number } from './lib/time.ts'

interface OpenedLetter extends Letter {
  readonly text: string | null
  readonly bytes_base64: string | null
  readonly is_cut: boolean
}

const REASON_MAX = 1_000
/** A replay that dies again does so within seconds. */
const POLL_MS = 3_000

/** One dead letter with its bytes. */
export const page: Page = {
  path: '/dead-letters/:id',
  title: 'A dead letter',
  nav: null,
  scope: 'operate',
  show: async (main, context) => {
    const outcome = new Outcome()
    const body = h('div', {})
    const { signal } = context
    await keepDrawn({ everyMs: POLL_MS, signal, read: () => read(context) }, (letter, redraw) =>
      replace(body, drawn(letter, context, outcome, redraw)),
    )
    main.append(h('p', {}, h('a', { href: linkTo('/dead-letters') }, '← Dead letters')), outcome.element, body)
  },
}

const read = ({ api, params }: PageContext): Promise<OpenedLetter> =>
  api.get(`/v1/dead-letters/${encodeURIComponent(params['id'] ?? '')}`)

const drawn = (letter: OpenedLetter, context: PageContext, outcome: Outcome, redraw: () => Promise<void>) => [
  pageHead(
    'Dead letter',
    stateOf(letter),
    h('div', { class: 'end buttons' }, buttonsOf(letter, context, outcome, redraw)),
  ),
  h('div', { class: 'columns' }, aboutOf(letter), bytesOf(letter)),
]

const aboutOf = (letter: OpenedLetter): HTMLElement =>
  h(
    'section',
    { class: 'card' },
    h('h2', {}, 'What is known of it'),
    terms([
      ['Reason', letter.reason],
      ['Id', h('code', {}, letter.id)],
      ['Came by', letter.source],
      ['Partition', letter.partition],
      ['Size', `${number(letter.size_bytes)} bytes`],
      ['Deaths', number(letter.attempts)],
      ['First died (UTC)', moment(letter.first_seen_at)],
      ['Last died (UTC)', moment(letter.last_seen_at)],
      ['Replays', number(letter.replays)],
      ['Decided last by', letter.last_action?.by],
      ['… at (UTC)', letter.last_action && moment(letter.last_action.at)],
      ['… because', letter.last_action?.reason],
    ]),
  )

const bytesOf = ({ text, bytes_base64: base64, is_cut: isCut }: OpenedLetter): HTMLElement => {
  const json = text === null ? null : parsed(text)
  return h(
    'section',
    { class: 'card' },
    h('h2', {}, text === null ? 'Its bytes (no UTF-8, so base64)' : 'Its bytes (UTF-8)'),
    isCut && h('p', { class: 'note' }, 'Only its beginning is shown.'),
    h('pre', { tabindex: 0, role: 'region', 'aria-label': 'Bytes of the message' }, text ?? base64),
    json !== null && h('details', {}, h('summary', {}, 'The same, laid out'), jsonBlock(json, 'The message as JSON')),
  )
}

const parsed = (text: string): object | null => {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' ? value : null
  } catch {
    return null
  }
}

const buttonsOf = (letter: OpenedLetter, context: PageContext, outcome: Outcome, redraw: () => Promise<void>) => {
  const isDecided = letter.state !== 'waiting'
  const done = async (words: string) => {
    outcome.say(words)
    await redraw()
  }
  return [
    letter.state !== 'replayed' &&
      h(
        'button',
        { type: 'button', class: 'danger', disabled: isDecided, onclick: () => void discard(letter, context, done) },
        'Discard …',
      ),
    h('button', { type: 'button', class: 'primary', onclick: () => void askReplay(letter, context, done) }, 'Replay …'),
  ]
}

type Done = (words: string) => Promise<void>

const askReplay = (letter: OpenedLetter, { api, me }: PageContext, done: Done): Promise<boolean> =>
  ask({
    title: 'Replay this letter?',
    text: 'The worker gets the message once more. If it dies again it waits again, with its new reason.',
    fields: [...byFields(me), ...forceOf(letter)],
    action: 'Replay',
    work: async (values) => {
      const { outcome } = await replay(api, letter.id, { ...saidBy(values), force: values['force'] === 'yes' })
      await done(
        outcome === 'replayed' ? 'Replayed: the worker has it.' : 'It was replayed before, and has not died since.',
      )
    },
  })

const FORCE = [
  ['no', 'no'],
  ['yes', 'yes, all the same'],
] as const

/** What was discarded, or died after each of several replays, is replayed by force alone. */
const forceOf = ({ state, replays }: OpenedLetter): readonly Field[] =>
  state === 'discarded' || replays > 0
    ? [{ name: 'force', label: 'Even if it was discarded or died after each replay', options: FORCE }]
    : []

const discard = (letter: OpenedLetter, { api, me }: PageContext, done: Done): Promise<boolean> =>
  ask({
    title: 'Discard this letter?',
    text: 'It needs no work, whoever looks next reads why. The same message sent again waits again.',
    fields: [...byFields(me), { name: 'reason', label: 'Why', required: true, maxLength: REASON_MAX }],
    action: 'Discard',
    danger: true,
    work: async ({ reason, ...values }) => {
      await api.post(`/v1/dead-letters/${letter.id}/discard`, { ...saidBy(values), reason })
      await done('Discarded.')
    },
  })
