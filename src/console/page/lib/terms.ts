import { type Child, h } from './dom.ts'

/** What is known of one thing, by name; a name without a value has a dash. */
export const terms = (rows: readonly (readonly [name: string, value: Child])[]): HTMLElement =>
  h(
    'dl',
    { class: 'facts' },
    rows.flatMap(([name, value]) => [h('dt', {}, name), h('dd', {}, orDash(value))]),
  )

/** A dash, faintly, for nothing. */
export const orDash = (value: Child): Child =>
  value === null || value === undefined || value === '' ? h('span', { class: 'faint' }, '–') : value

/** Data for a person to read, as JSON with a member on each line. */
export const jsonBlock = (value: unknown, label: string): HTMLElement =>
  h('pre', { tabindex: 0, role: 'region', 'aria-label': label }, JSON.stringify(value, null, 2))

/** An id in a list: enough of it to tell it from others, all of it where one points, and for screen readers. */
export const idText = (id: string | null): Child =>
  orDash(id && h('abbr', { class: 'code', title: id }, id.length > 16 ? `${id.slice(0, 8)}…${id.slice(-4)}` : id))
