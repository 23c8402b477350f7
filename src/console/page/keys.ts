import { makeKeyPart } from './keys-make.ts'
import { ask } from './lib/dialog.ts'
import { h, replace } from './lib/dom.ts'
import { Outcome } from './lib/outcome.ts'
import type { Page, PageContext, Scope } from './lib/page.ts'
import { pageHead } from './lib/page-head.ts'
import { linkTo } from './lib/router.ts'
import { sign } from './lib/sign.ts'
import { type Column, table } from './lib/table.ts'
import { orDash } from './lib/terms.ts'
import { ago, moment } from './lib/time.ts'

interface Key {
  readonly id: string
  readonly name: string
  readonly scopes: readonly Scope[]
  readonly tenant: string | null
  readonly created_by: string
  readonly created_at: string
  readonly expires_at: string | null
  readonly last_used_at: string | null
  readonly revoked_at: string | null
}

/** Who may use the API. */
export const page: Page = {
  path: '/keys',
  title: 'Keys',
  nav: 'Keys',
  scope: 'operate',
  show: async (main, context) => {
    const outcome = new Outcome()
    const list = h('div', {})
    const draw = async () => replace(list, drawn(await listed(context), context, outcome, draw))
    await draw()
    main.append(
      pageHead('Keys', h('a', { href: linkTo('/audit?action=key') }, 'Who made and revoked which')),
      outcome.element,
      h('section', { class: 'card' }, list),
      makeKeyPart(context, draw),
    )
  },
}

const listed = async ({ api }: PageContext): Promise<readonly Key[]> =>
  (await api.get<{ readonly items: readonly Key[] }>('/v1/keys')).items

const drawn = (
  keys: readonly Key[],
  context: PageContext,
  outcome: Outcome,
  redraw: () => Promise<void>,
): HTMLElement => {
  const revoke = (key: Key) =>
    void askRevoke(key, context, async () => {
      outcome.say(`The key ${key.name} counts no more. Other processes take it for five seconds yet.`)
      await redraw()
    })
  return table({
    caption: 'Keys of the API, the newest first',
    columns: columnsOf(context, revoke),
    rows: keys,
    empty: 'There is no key: everything is open to programs of this machine, and closed to all others.',
  })
}

const columnsOf = ({ me }: PageContext, revoke: (key: Key) => void): readonly Column<Key>[] => [
  {
    title: 'Name',
    cell: ({ name, id }) => [h('strong', {}, name), id === me.key_id && h('span', { class: 'faint' }, ' (yours)')],
  },
  { title: 'State', cell: stateOf },
  { title: 'Id', cell: ({ id }) => h('code', {}, id) },
  { title: 'Scopes', cell: ({ scopes }) => scopes.join(', ') },
  { title: 'Sees', cell: ({ tenant }) => (tenant === null ? 'the whole service' : h('code', {}, tenant)) },
  { title: 'Made', cell: ({ created_at: at, created_by: by }) => [ago(at), ` by ${by}`] },
  { title: 'Expires (UTC)', cell: ({ expires_at: at }) => (at === null ? orDash(null) : moment(at)) },
  { title: 'Last used, to the hour', cell: ({ last_used_at: at }) => ago(at) },
  {
    title: 'Revoke',
    cell: (key) =>
      key.revoked_at === null &&
      h(
        'button',
        { type: 'button', class: 'danger', 'aria-label': `Revoke ${key.name}`, onclick: () => revoke(key) },
        'Revoke …',
      ),
  },
]

const stateOf = ({ revoked_at: revoked, expires_at: expires }: Key): HTMLElement => {
  if (revoked !== null) return sign('revoked', 'queued')
  return expires !== null && Date.parse(expires) <= Date.now() ? sign('expired', 'queued') : sign('counts', 'good')
}

const askRevoke = ({ id, name }: Key, { api, me }: PageContext, done: () => Promise<void>): Promise<boolean> =>
  ask({
    title: `Revoke the key ${name}?`,
    text:
      id === me.key_id
        ? 'It is the key that you are signed in with: you are signed out with it. It cannot be taken back.'
        : 'Whoever uses it is refused from then on, and its open streams end. It cannot be taken back.',
    action: 'Revoke',
    danger: true,
    work: async () => {
      await api.remove(`/v1/keys/${id}`)
      await done()
    },
  })
