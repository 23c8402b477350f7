import { type Query, withQuery } from './api.ts'
import { h } from './dom.ts'

/** A download of all rows of a list, not only of those that are shown; at the end of its line. */
export const csvLink = (text: string, path: string, query: Query): HTMLElement =>
  h(
    'div',
    { class: 'end' },
    h('a', { class: 'button', href: withQuery(path, { ...query, format: 'csv' }), download: '' }, text),
  )
