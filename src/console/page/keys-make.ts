import { h, replace } from './lib/dom.ts'
import { valuesOf } from './lib/filters.ts'
import type { PageContext, Scope } from './lib/page.ts'
import { problemBox } from './lib/problem.ts'
import { linkTo } from './lib/router.ts'

const SCOPES: readonly (readonly [scope: Scope, text: string])[] = [
  ['publish', 'publishing tasks, cancelling sessions'],
  ['read', 'sessions, their facts and events'],
  ['finance', 'refunds, the books, orphans'],
  ['operate', 'dead letters, projections, keys, the audit'],
  ['estimate', 'sizes from photos'],
]
const NAME_MAX = 100

/** Makes a key, and shows it the one time that anybody can see it. */
export const makeKeyPart = ({ api, me }: PageContext, made: () => Promise<void>): HTMLElement => {
  const said = h('div', { role: 'status', 'aria-live': 'polite' })
  const button = h('button', { type: 'submit', class: 'primary' }, 'Make a key')
  const make = async (event: Event) => {
    event.preventDefault()
    button.disabled = true
    try {
      const key = await api.post<Made>('/v1/keys', bodyOf(form))
      form.reset()
      replace(said, shownOnce(key), me.key_id === null && fromNowOn())
      // Whatever comes of it: nobody must lose the key over a list.
      await made().catch(() => undefined)
    } catch (error) {
      replace(said, problemBox(error))
    }
    button.disabled = false
  }
  const form = h('form', { class: 'make-key', onsubmit: (event) => void make(event) }, fields(), button)
  return h('section', { class: 'card' }, h('h2', {}, 'Make a key'), form, said)
}

interface Made {
  readonly name: string
  readonly key: string
}

const fields = (): HTMLElement[] => [
  labelled(
    'Name',
    'Who will use it',
    h('input', { name: 'name', required: true, maxlength: NAME_MAX, autocomplete: 'off' }),
  ),
  h(
    'fieldset',
    {},
    h('legend', {}, 'Scopes: none includes another'),
    SCOPES.map(([scope, text]) =>
      h(
        'label',
        { class: 'check' },
        h('input', { type: 'checkbox', name: 'scope', value: scope }),
        h('strong', {}, scope),
        ` ${text}`,
      ),
    ),
  ),
  labelled(
    'Only this store',
    'An id; the key then sees nothing else, and cannot operate',
    h('input', { name: 'store', autocomplete: 'off' }),
  ),
  labelled('… or only this user', 'An id', h('input', { name: 'user', autocomplete: 'off' })),
  labelled(
    'Expires',
    'The beginning of this day, UTC; never when empty',
    h('input', { name: 'expires_at', type: 'date' }),
  ),
]

const labelled = (name: string, hint: string, input: HTMLElement): HTMLElement =>
  h('label', { class: 'field' }, name, h('span', { class: 'faint' }, hint), input)

const bodyOf = (form: HTMLFormElement): object => {
  const { scope: _, ...values } = valuesOf(form)
  return { ...values, scopes: new FormData(form).getAll('scope') }
}

const fromNowOn = (): HTMLElement =>
  h(
    'p',
    { class: 'note' },
    'From now on a key is needed, here as well. ',
    h('a', { href: linkTo('/keys') }, 'Sign in with this one'),
    ' once you have kept it; one that may not operate does not show this page.',
  )

const shownOnce = ({ name, key }: Made): HTMLElement => {
  const field = h('input', { class: 'code', readonly: true, value: key, 'aria-label': `The key ${name}` })
  const copied = h('span', { role: 'status' })
  const copy = async () => {
    field.select()
    const done = await navigator.clipboard.writeText(key).then(
      () => true,
      () => false,
    )
    copied.textContent = done ? 'Copied.' : 'Press Ctrl+C: the browser lets this page not do it.'
  }
  return h(
    'div',
    { class: 'note' },
    h('p', {}, h('strong', {}, `The key ${name} is shown this once.`), ' Keep it where its user keeps secrets.'),
    h('div', { class: 'copy' }, field, h('button', { type: 'button', onclick: () => void copy() }, 'Copy')),
    copied,
  )
}
