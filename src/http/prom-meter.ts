import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'
import type { Meter } from '../machines/ports/environment.ts'
import { metricTable } from './metric-table.ts'
import type { MetricRow } from './metrics/row.ts'

const PREFIX = 'wearon_'

/** Default metrics of prom-client whose names break Prometheus' own rules (gauges that end in `_total`). */
const MISNAMED = ['nodejs_active_handles_total', 'nodejs_active_requests_total', 'nodejs_active_resources_total']

/** Ten looks a second at the event loop; prom-client's hundred cost an idle process half of its CPU time. */
const EVENT_LOOP_SAMPLE_MS = 100

type Labels = Readonly<Record<string, string>>

/** A metric that the table does not know, or with labels that it does not have: a bug, not a reason to stop work. */
export class UnknownMetric extends Error {
  override readonly name = 'UnknownMetric'
}

export interface PromMeterOptions {
  /** What happens to a metric that the table does not know. Tests throw it, the running system logs it. */
  readonly onUnknown: (error: UnknownMetric) => void
  /** Also memory, CPU, event loop and garbage collection of the process. */
  readonly processMetrics: boolean
}

/** The metrics of this process in a registry of its own, as `metricTable` defines them. */
export class PromMeter implements Meter {
  readonly #registry = new Registry()
  readonly #onUnknown: PromMeterOptions['onUnknown']
  readonly #counters = new Map<string, Counter>()
  readonly #gauges = new Map<string, Gauge>()
  readonly #histograms = new Map<string, Histogram>()
  readonly #reported = new Set<string>()

  constructor({ onUnknown, processMetrics }: PromMeterOptions) {
    this.#onUnknown = onUnknown
    for (const [name, row] of Object.entries(metricTable)) this.#define(name, row)
    if (!processMetrics) return
    collectDefaultMetrics({ register: this.#registry, eventLoopMonitoringPrecision: EVENT_LOOP_SAMPLE_MS })
    for (const name of MISNAMED) this.#registry.removeSingleMetric(name)
  }

  count(name: string, labels: Labels = {}, by = 1): void {
    this.#update(name, this.#counters.get(name), (counter) => counter.inc({ ...labels }, by))
  }

  observe(name: string, value: number, labels: Labels = {}): void {
    this.#update(name, this.#histograms.get(name), (histogram) => histogram.observe({ ...labels }, value))
  }

  gauge(name: string, value: number, labels: Labels = {}): void {
    this.#update(name, this.#gauges.get(name), (gauge) => gauge.set({ ...labels }, value))
  }

  get contentType(): string {
    return this.#registry.contentType
  }

  /** All metrics in Prometheus' text format. */
  expose(): Promise<string> {
    return this.#registry.metrics()
  }

  #define(name: string, { type, help, labels, buckets }: MetricRow): void {
    const metric = { name: PREFIX + name, help, labelNames: [...labels], registers: [this.#registry] }
    if (type === 'counter') this.#counters.set(name, new Counter(metric))
    else if (type === 'gauge') this.#gauges.set(name, new Gauge(metric))
    else this.#histograms.set(name, new Histogram({ ...metric, buckets: [...(buckets ?? [])] }))
  }

  #update<Metric>(name: string, metric: Metric | undefined, update: (metric: Metric) => void): void {
    try {
      if (metric === undefined) throw new UnknownMetric(`${name} is not in the table of metrics, or is of another type`)
      update(metric)
    } catch (error) {
      // A wrong name is wrong each time: once is enough to be seen.
      if (this.#reported.has(name)) return
      this.#reported.add(name)
      this.#onUnknown(error instanceof UnknownMetric ? error : new UnknownMetric(`${name}: ${String(error)}`))
    }
  }
}
