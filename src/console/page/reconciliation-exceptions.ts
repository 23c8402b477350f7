import { type PageOf, withQuery } from './lib/api.ts'
import { csvLink } from './lib/csv-link.ts'
import { type Child, h } from './lib/dom.ts'
import type { PageContext } from './lib/page.ts'
import { linkTo } from './lib/router.ts'
import { pagedTable } from './lib/table.ts'
import { idText, orDash } from './lib/terms.ts'
import { moment, number } from './lib/time.ts'
import type { BookLine, BookScope } from './reconciliation-known.ts'
import { refundLink, words } from './refunds-known.ts'

/** Lines of one class; without one those that somebody should look at. */
export const exceptionsPart = async (
  context: PageContext,
  scope: BookScope,
  name: string | null,
): Promise<HTMLElement> =>
  h(
    'section',
    { class: 'card' },
    h(
      'div',
      { class: 'head' },
      h('h2', {}, name === null ? 'What somebody should look at' : `Lines that are ${words(name)}`),
      name !== null && h('a', { href: linkTo(withQuery('/reconciliation', scope)) }, 'all exceptions'),
      csvLink('Download these as CSV', '/v1/reconciliation/exceptions', { ...scope, class: name }),
    ),
    await listOf(context, scope, name),
  )

const listOf = ({ api }: PageContext, scope: BookScope, name: string | null): Promise<HTMLElement> =>
  pagedTable<BookLine>(
    {
      caption: name === null ? 'Exceptions' : `Lines of the class ${words(name)}`,
      columns: lineColumns,
      empty: name === null ? 'Nothing that somebody should look at.' : `No line is ${words(name)}.`,
    },
    (cursor) => api.get<PageOf<BookLine>>('/v1/reconciliation/exceptions', { ...scope, class: name, cursor }),
  )

const whose = ({ email, owner_id: owner, channel }: BookLine): Child => {
  if (email === null && owner === null) return orDash(null)
  return [channel, ' ', email ?? idText(owner)]
}

const lineColumns = [
  { title: 'Class', cell: (line: BookLine) => h('span', { title: line.meaning }, words(line.class)) },
  {
    title: 'Session or record',
    cell: ({ session_id: id, ledger_record: record }: BookLine) => (id === null ? orDash(record) : refundLink(id)),
  },
  { title: 'Whose', cell: whose },
  { title: 'Since (UTC)', cell: ({ since }: BookLine) => moment(since) },
  { title: 'Charged', kind: 'number', cell: ({ charged }: BookLine) => number(charged) },
  { title: 'Given back', kind: 'number', cell: ({ given_back: givenBack }: BookLine) => number(givenBack) },
  { title: 'Drift', kind: 'number', cell: ({ drift }: BookLine) => number(drift) },
  { title: 'What happened', cell: ({ detail }: BookLine) => detail },
] as const
