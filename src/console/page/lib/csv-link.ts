import { type Query, withQuery } from './api.ts'
import { h } from './dom.ts'

/** A download of all rows of a list, not only of those that are shown. */
export const csvLink = (text: string, path: string, query: Query): HTMLElement =>
  h('a', { class: 'button', href: withQuery(path, { ...query, format: 'csv' }), download: '' }, text)
