import { withQuery } from './lib/api.ts'
import { h } from './lib/dom.ts'
import { linkTo } from './lib/router.ts'
import { sign } from './lib/sign.ts'
import { table } from './lib/table.ts'
import { number } from './lib/time.ts'
import type { BookScope, Books } from './reconciliation-known.ts'

const TONES = { none: 'good', exception: 'warn', imbalance: 'bad' } as const
const ORDER = ['imbalance', 'exception', 'none'] as const
const SAID = { none: 'as they should be', exception: 'to be looked at', imbalance: 'an imbalance' } as const

/** How many lines of the books have which name, and what each means: what is wrong first. */
export const classesPart = ({ classes, meanings }: Books, scope: BookScope): HTMLElement => {
  const rows = Object.entries(classes)
    .map(([name, lines]) => ({ name, lines, severity: 'none' as const, meaning: '', ...meanings[name] }))
    .toSorted((one, other) => ORDER.indexOf(one.severity) - ORDER.indexOf(other.severity) || other.lines - one.lines)
  type Row = (typeof rows)[number]
  return h(
    'section',
    { class: 'card' },
    h('h2', {}, 'What the lines are called'),
    table({
      caption: 'Lines of the books by class, imbalances first',
      columns: [
        {
          title: 'Class',
          cell: ({ name, severity }: Row) => h('a', { href: classLink(scope, name) }, sign(name, TONES[severity])),
        },
        { title: 'Lines', kind: 'number', cell: ({ lines }: Row) => number(lines) },
        { title: 'Means', cell: ({ meaning }: Row) => meaning },
        {
          title: 'Credits',
          cell: ({ severity }: Row) => SAID[severity],
        },
      ],
      rows,
      empty: 'There are no lines.',
    }),
  )
}

const classLink = (scope: BookScope, name: string): string =>
  linkTo(withQuery('/reconciliation', { ...scope, class: name }))
