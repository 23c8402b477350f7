import { Api } from './lib/api.ts'
import { h } from './lib/dom.ts'
import { problemBox } from './lib/problem.ts'

const SESSION = '/v1/console/session'

/** Asks for a key, once: the server keeps it out of the page's reach from then on. */
export const signIn = (entered: () => void): HTMLElement => {
  const faults = h('div', {})
  const key = h('input', { id: 'key', type: 'password', required: true, autocomplete: 'off', spellcheck: 'false' })
  const enter = async (event: Event) => {
    event.preventDefault()
    try {
      const api = new Api(new AbortController().signal, () => {})
      await api.post(SESSION, {}, { Authorization: `Bearer ${key.value.trim()}` })
      key.value = ''
      entered()
    } catch (error) {
      faults.replaceChildren(problemBox(error))
    }
  }
  return h(
    'form',
    { class: 'card sign-in', onsubmit: (event) => void enter(event) },
    h('h1', {}, 'Sign in'),
    h('p', {}, 'Paste an API key. It is exchanged for a session of some hours that this page cannot read.'),
    h('label', { class: 'field', for: 'key' }, 'API key', key),
    faults,
    h('button', { type: 'submit', class: 'primary' }, 'Sign in'),
    h(
      'p',
      { class: 'faint' },
      "On the server's machine: ",
      h('code', {}, 'npm run wearon -- keys create --name me --scope read operate finance'),
    ),
  )
}

/** Ends the session. */
export const signOut = (api: Api): Promise<unknown> => api.remove(SESSION)
