/** One line of a panel: what is asked of Prometheus, and how its series are named (`{{label}}`). */
type Query = readonly [expr: string, legend: string]

/** A panel as its dashboard lists it. `unit` is Grafana's name of it: `s`, `bytes`, `percentunit`, `currencyUSD`, `short`. */
export interface Panel {
  readonly title: string
  /** Why somebody looks at it. */
  readonly help: string
  readonly unit: string
  readonly queries: readonly Query[]
}

export interface Dashboard {
  /** File name, and part of its address. */
  readonly uid: string
  readonly title: string
  readonly panels: readonly Panel[]
}

/** One series over time, or several. */
export const panel = (title: string, unit: string, help: string, ...queries: Query[]): Panel => ({
  title,
  help,
  unit,
  queries,
})

/** The 50th and 95th percentile of a histogram without its `_bucket`, by a label or over all. */
export const percentiles = (histogram: string, by?: string): Query[] =>
  [0.5, 0.95].map((quantile) => {
    const labels = by === undefined ? 'le' : `le, ${by}`
    const expr = `histogram_quantile(${quantile}, sum by (${labels}) (rate(${histogram}_bucket[$__rate_interval])))`
    return [expr, `${by === undefined ? '' : `{{${by}}} `}p${quantile * 100}`]
  })

/** How often per second a counter counts, by a label. */
export const rate = (counter: string, by: string): Query => [
  `sum by (${by}) (rate(${counter}[$__rate_interval]))`,
  `{{${by}}}`,
]
