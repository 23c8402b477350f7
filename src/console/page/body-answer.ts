import type { ProblemJson } from './lib/api.ts'
import { h } from './lib/dom.ts'
import { table } from './lib/table.ts'
import { terms } from './lib/terms.ts'

interface Interval {
  readonly lower: number
  readonly upper: number
}

interface Said {
  readonly code: string
  readonly hint: string
}

/** What the body estimate answers; see docs/estimate-body.md. */
export interface BodyAnswer {
  readonly recommended_size: string
  readonly second_size: string | null
  readonly confidence: number
  readonly body_type: string
  readonly size_range: { readonly lower: string; readonly upper: string }
  readonly measurements: Readonly<Record<string, number>>
  readonly intervals: Readonly<Record<string, Interval>>
  readonly size_probabilities: Readonly<Record<string, number>>
  readonly warnings: readonly Said[]
  readonly basis: {
    readonly method: string
    readonly inputs: readonly string[]
    readonly chart: string
    readonly fit: string
  }
}

/** The answer in words and numbers. */
export const answerParts = (answer: BodyAnswer): HTMLElement[] => [
  h('p', { class: 'size' }, h('strong', {}, `Size ${answer.recommended_size}`), secondOf(answer)),
  ...answer.warnings.map(({ hint }) => h('p', { class: 'note' }, hint)),
  measured(answer),
  likely(answer),
  terms([
    ['Body type', answer.body_type],
    ['Likely sizes', `${answer.size_range.lower} to ${answer.size_range.upper}`],
    ['Rests on', answer.basis.inputs.map(words).join(', ')],
    ['Size chart', `${words(answer.basis.chart)}, ${answer.basis.fit} fit`],
    ['Method', answer.basis.method],
  ]),
]

const secondOf = ({ confidence, second_size: second }: BodyAnswer): string =>
  ` with ${percent(confidence)} confidence${second === null ? '' : `, or ${second}`}`

const measured = ({ measurements, intervals }: BodyAnswer): HTMLElement =>
  table({
    caption: 'Measurements',
    columns: [
      { title: 'Measure', cell: ([name]: [string, number]) => words(name.replace(/_cm$/, '')) },
      { title: 'cm', kind: 'number', cell: ([, cm]) => cm.toFixed(1) },
      { title: '80 % lie within, cm', kind: 'number', cell: ([name]) => within(intervals[name]) },
    ],
    rows: Object.entries(measurements),
  })

const within = (interval: Interval | undefined): string =>
  interval === undefined ? '' : `${interval.lower.toFixed(1)} to ${interval.upper.toFixed(1)}`

const likely = ({ size_probabilities: sizes }: BodyAnswer): HTMLElement =>
  table({
    caption: 'How likely each size is',
    columns: [
      { title: 'Size', cell: ([size]: [string, number]) => size },
      {
        title: 'Likely',
        cell: ([size, probability]) => [
          h('meter', { min: 0, max: 1, value: probability, 'aria-label': `How likely ${size} is` }),
          ` ${percent(probability)}`,
        ],
      },
    ],
    rows: Object.entries(sizes),
  })

/** Why nobody could be measured, and what the person can do about it. */
export const refusalPart = (problem: ProblemJson): HTMLElement => {
  const { reasons = [] } = problem as ProblemJson & { readonly reasons?: readonly Said[] }
  return h(
    'div',
    { class: 'note' },
    h('p', {}, h('strong', {}, 'This photo will not do.')),
    h(
      'ul',
      {},
      reasons.map(({ code, hint }) => h('li', {}, hint, ' ', h('span', { class: 'faint' }, `(${words(code)})`))),
    ),
  )
}

const words = (code: string): string => code.replaceAll('_', ' ')
const percent = (share: number): string => `${Math.round(share * 100)} %`
