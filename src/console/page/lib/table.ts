import type { PageOf } from './api.ts'
import { type Child, h } from './dom.ts'
import { problemBox } from './problem.ts'

export interface Column<Row> {
  readonly title: string
  readonly cell: (row: Row) => Child
  /** `number`: right-aligned, with digits of one width. */
  readonly kind?: 'text' | 'number'
}

interface Shown<Row> {
  /** What the table is, for screen readers; not shown. */
  readonly caption: string
  readonly columns: readonly Column<Row>[]
  readonly rows: readonly Row[]
  /** What is said where there is no row. */
  readonly empty?: string
}

/** A table that scrolls sideways by itself where it does not fit. */
export const table = <Row>({ caption, columns, rows, empty = 'Nothing here.' }: Shown<Row>): HTMLElement => {
  if (rows.length === 0) return h('p', { class: 'empty' }, empty)
  const head = columns.map(({ title, kind }) => h('th', { scope: 'col', class: kind ?? 'text' }, title))
  return h(
    'div',
    { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': caption },
    h(
      'table',
      {},
      h('caption', { class: 'unseen' }, caption),
      h('thead', {}, h('tr', {}, head)),
      h('tbody', {}, rows.map(rowOf(columns))),
    ),
  )
}

const rowOf =
  <Row>(columns: readonly Column<Row>[]) =>
  (row: Row): HTMLElement =>
    h(
      'tr',
      {},
      columns.map(({ cell, kind }) => h('td', { class: kind ?? 'text' }, cell(row))),
    )

/** Rows that a page holds at most, however often one asks for more: beyond, filters help better. */
const ROWS_MAX = 2_000

/** A table that begins with one page and gets another with each press of its button. Rejects when the first cannot be read. */
export const pagedTable = async <Row>(
  shown: Omit<Shown<Row>, 'rows'>,
  read: (cursor: string | null) => Promise<PageOf<Row>>,
): Promise<HTMLElement> => {
  const first = await read(null)
  const whole = h('div', {}, table({ ...shown, rows: first.items }))
  const body = whole.querySelector('tbody')
  let { next } = first
  const more = h('button', { type: 'button', onclick: () => void readOn() }, 'Show more')
  const settle = () => (more.hidden = next === null || (body?.rows.length ?? 0) >= ROWS_MAX)
  const readOn = async () => {
    more.disabled = true
    try {
      const page = await read(next)
      next = page.next
      body?.append(...page.items.map(rowOf(shown.columns)))
    } catch (error) {
      whole.append(problemBox(error))
    }
    more.disabled = false
    settle()
  }
  settle()
  whole.append(more)
  return whole
}
