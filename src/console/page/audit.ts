import { type PageOf, withQuery } from './lib/api.ts'
import { h } from './lib/dom.ts'
import { chosenOf, filters } from './lib/filters.ts'
import type { Page } from './lib/page.ts'
import { pageHead } from './lib/page-head.ts'
import { sign } from './lib/sign.ts'
import { type Column, pagedTable } from './lib/table.ts'
import { jsonBlock, orDash } from './lib/terms.ts'
import { moment } from './lib/time.ts'

interface Entry {
  readonly id: string
  readonly at: string
  readonly actor: string
  readonly key_id: string | null
  readonly action: string
  readonly target: string | null
  readonly request_id: string
  readonly detail: object
  readonly outcome: string | null
}

/** Who did what. */
export const page: Page = {
  path: '/audit',
  title: 'Audit',
  nav: 'Audit',
  scope: 'operate',
  show: async (main, { api, query, go }) => {
    const chosen = chosenOf(query, ['action', 'target'])
    const list = await pagedTable<Entry>(
      { caption: 'What operators asked for, the newest first', columns, empty: 'Nothing was asked for.' },
      (cursor) => api.get<PageOf<Entry>>('/v1/audit', { ...chosen, cursor }),
    )
    main.append(
      pageHead('Audit'),
      h(
        'section',
        { class: 'card' },
        h(
          'p',
          { class: 'faint' },
          'Each entry was written before its work was done. One without an outcome is under way, or its process died.',
        ),
        filters(
          'Which entries',
          [
            {
              name: 'action',
              label: 'Action, or its first word (refund, key.revoke)',
              value: chosen.action,
              kind: 'wide',
            },
            { name: 'target', label: 'What it was done to (id or name)', value: chosen.target, kind: 'wide' },
          ],
          (values) => go(withQuery('/audit', values)),
        ),
        list,
      ),
    )
  },
}

const columns: readonly Column<Entry>[] = [
  { title: 'Time (UTC)', cell: ({ at }) => moment(at) },
  {
    title: 'Who',
    cell: ({ actor, key_id: key }) => h('span', { title: key === null ? 'without a key' : `key ${key}` }, actor),
  },
  { title: 'Action', cell: ({ action }) => h('strong', {}, action) },
  { title: 'What it was done to', cell: ({ target }) => (target === null ? orDash(null) : h('code', {}, target)) },
  { title: 'Outcome', cell: ({ outcome }) => outcomeOf(outcome) },
  {
    title: 'Asked for',
    cell: ({ detail, action }) =>
      Object.keys(detail).length === 0
        ? orDash(null)
        : h('details', {}, h('summary', {}, 'show'), jsonBlock(detail, `What was asked: ${action}`)),
  },
  { title: 'Request', cell: ({ request_id: id }) => h('code', {}, id) },
]

const outcomeOf = (outcome: string | null): HTMLElement => {
  if (outcome === null) return sign('not known', 'warn')
  return outcome === 'done' ? sign('done', 'good') : sign(outcome, 'bad')
}
