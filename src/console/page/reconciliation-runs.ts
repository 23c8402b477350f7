import type { PageOf } from './lib/api.ts'
import { h } from './lib/dom.ts'
import type { PageContext } from './lib/page.ts'
import { sign } from './lib/sign.ts'
import { table } from './lib/table.ts'
import { moment, number } from './lib/time.ts'
import type { Books } from './reconciliation-known.ts'

const RUNS_SHOWN = 12

/** The verdicts of the last runs. */
export const runsPart = async ({ api }: PageContext): Promise<HTMLElement> => {
  const { items } = await api.get<PageOf<Books>>('/v1/reconciliation/runs', { limit: RUNS_SHOWN })
  return h(
    'section',
    { class: 'card' },
    h('h2', {}, 'How they stood before'),
    table({
      caption: 'The last runs of the reconciliation, the newest first',
      columns: [
        { title: 'As of (UTC)', cell: ({ as_of: at }: Books) => moment(at) },
        {
          title: 'Verdict',
          cell: ({ balanced }: Books) => (balanced ? sign('balanced', 'good') : sign('not balanced', 'bad')),
        },
        { title: 'Sessions', kind: 'number', cell: ({ sessions }: Books) => number(sessions) },
        { title: 'Owed', kind: 'number', cell: ({ owed }: Books) => number(owed) },
        { title: 'Escalated', kind: 'number', cell: ({ escalated }: Books) => number(escalated) },
        { title: 'Drift', kind: 'number', cell: ({ drift }: Books) => number(drift) },
        { title: 'Checksum', cell: ({ checksum }: Books) => h('code', {}, checksum.slice(0, 12)) },
      ],
      rows: items,
      empty: 'No run was kept yet.',
    }),
  )
}
