import { bookMetrics } from './metrics/books.ts'
import { doorMetrics } from './metrics/door.ts'
import { effectMetrics } from './metrics/effects.ts'
import type { MetricRow } from './metrics/row.ts'
import { sessionMetrics } from './metrics/sessions.ts'
import { upkeepMetrics } from './metrics/upkeep.ts'

/** Every metric, by its name without the `wearon_` prefix: one row per name. */
export const metricTable: Readonly<Record<string, MetricRow>> = {
  ...doorMetrics,
  ...sessionMetrics,
  ...effectMetrics,
  ...upkeepMetrics,
  ...bookMetrics,
}
