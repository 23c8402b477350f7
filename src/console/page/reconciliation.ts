import { withQuery } from './lib/api.ts'
import { csvLink } from './lib/csv-link.ts'
import { h } from './lib/dom.ts'
import { chosenOf, type Filter, filters } from './lib/filters.ts'
import type { Page } from './lib/page.ts'
import { pageHead } from './lib/page-head.ts'
import { classesPart } from './reconciliation-classes.ts'
import { exceptionsPart } from './reconciliation-exceptions.ts'
import type { BookScope, Books } from './reconciliation-known.ts'
import { runsPart } from './reconciliation-runs.ts'
import { agesPart, balancePart, channelsPart } from './reconciliation-summary.ts'

const SCOPE = ['day', 'from', 'until', 'store', 'user', 'session', 'as_of'] as const

/** Do the books balance, and what should somebody look at? */
export const page: Page = {
  path: '/reconciliation',
  title: 'Reconciliation',
  nav: 'Books',
  scope: 'finance',
  show: async (main, context) => {
    const { api, query, go, me } = context
    const scope: BookScope = chosenOf(query, SCOPE)
    const name = query.get('class')
    const [books, exceptions, runs] = await Promise.all([
      api.get<Books>('/v1/reconciliation', scope),
      exceptionsPart(context, scope, name),
      me.tenant === null ? runsPart(context) : null,
    ])
    main.append(
      pageHead('Reconciliation', csvLink('Download the totals as CSV', '/v1/reconciliation', scope)),
      h(
        'section',
        { class: 'card', 'aria-label': 'Which part' },
        filters('Which part of the books', fieldsOf(scope), (values) => go(withQuery('/reconciliation', values))),
      ),
      balancePart(books),
      h('div', { class: 'columns' }, agesPart(books), channelsPart(books)),
      classesPart(books, scope),
      exceptions,
      ...(runs === null ? [] : [runs]),
    )
  },
}

const fieldsOf = (scope: BookScope): readonly Filter[] => {
  const of = (name: keyof BookScope) => ({ name, value: scope[name] })
  return [
    { ...of('day'), label: 'One day (UTC)', kind: 'date' },
    { ...of('from'), label: 'or from (UTC day)', kind: 'date' },
    { ...of('until'), label: '… to before (UTC day)', kind: 'date' },
    { ...of('store'), label: 'Store (id)' },
    { ...of('user'), label: 'or user (id)' },
    { ...of('session'), label: 'Session (id)' },
    { ...of('as_of'), label: 'As they were at (2026-01-15T10:00:00Z)' },
  ]
}
