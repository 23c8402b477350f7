import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { grafanaDashboard } from '../../scripts/dashboards/grafana.ts'
import { dashboards } from '../../scripts/dashboards/table.ts'
import { metricTable } from '../../src/http/metric-table.ts'
import { PromMeter } from '../../src/http/prom-meter.ts'

const ROOT = join(import.meta.dirname, '../..')
const read = (file: string) => readFile(join(ROOT, file), 'utf8')

const all = (text: string, pattern: RegExp): string[] => [...text.matchAll(pattern)].map((match) => match[1] ?? '')

/** Rules without their comments and texts for people, so that only what Prometheus computes is left. */
const expressionsOf = (rules: string): string => rules.replaceAll(/^\s*(#|annotations:|labels:|- alert:).*$/gm, '')

/** Names of metrics in PromQL; a histogram's by its own name. */
const metricsOf = (promql: string): string[] =>
  all(promql, /\b((?:wearon[_:]|nodejs_|process_)[\w:]+)/g).map((name) =>
    isHistogram(name.replace(/_(bucket|count|sum)$/, '')) ? name.replace(/_(bucket|count|sum)$/, '') : name,
  )

const isHistogram = (name: string) => metricTable[name.replace(/^wearon_/, '')]?.type === 'histogram'

/** What a running process exposes, and what the rules record. */
const known = async (): Promise<Set<string>> => {
  const exposed = await new PromMeter({ processMetrics: true, onUnknown: () => undefined }).expose()
  const recorded = all(await read('ops/rules/wearon.yml'), /record: (\S+)/g)
  return new Set([...all(exposed, /^# TYPE (\S+)/gm), ...recorded])
}

/** Labels of every metric that is ours; of all of them together, since an expression may join several. */
const labels = new Set(['le', 'instance', 'job', ...Object.values(metricTable).flatMap((row) => row.labels)])
const labelsOf = (promql: string): string[] => [
  ...all(promql, /\bby \(([^)]*)\)/g).flatMap((list) => list.split(/,\s*/)),
  ...all(promql, /[{,]\s*(\w+)\s*(?:=~|!~|!=|=)\s*"/g),
]

const queries = dashboards.flatMap(({ uid, panels }) =>
  panels.flatMap((panel) => panel.queries.map(([expr]) => [`${uid}: ${panel.title}`, expr] as const)),
)

describe('dashboards and rules', () => {
  it.each(queries)('%s asks for metrics and labels that there are', async (_panel, expr) => {
    const names = await known()
    expect(metricsOf(expr).filter((name) => !names.has(name))).toEqual([])
    expect(labelsOf(expr).filter((name) => !labels.has(name))).toEqual([])
  })

  it('ask in their rules for metrics and labels that there are', async () => {
    const names = await known()
    const promql = expressionsOf(await read('ops/rules/wearon.yml'))
    expect(metricsOf(promql).length).toBeGreaterThan(30)
    expect(metricsOf(promql).filter((name) => !names.has(name))).toEqual([])
    expect(labelsOf(promql).filter((name) => !labels.has(name))).toEqual([])
  })

  it('are what scripts/dashboards.ts writes (npx node scripts/dashboards.ts makes them anew)', async () => {
    const files = await readdir(join(ROOT, 'ops/grafana/dashboards'))
    const texts = await Promise.all(files.map((file) => read(`ops/grafana/dashboards/${file}`)))
    const written = new Map(files.map((file, index) => [file, texts[index]]))
    const made = dashboards.map((one) => [`${one.uid}.json`, `${JSON.stringify(grafanaDashboard(one))}\n`] as const)
    expect(written).toEqual(new Map(made))
  })
})

describe('every alert', () => {
  it('has an entry in the runbook of its own urgency, and every entry an alert', async () => {
    const alerts = all(await read('ops/rules/wearon.yml'), /alert: (\w+)/g)
    const severities = all(await read('ops/rules/wearon.yml'), /severity: (\w+) /g)
    const runbook = await read('docs/runbook.md')
    const entries = [...runbook.matchAll(/^### (\w+)\n\*\*(Page|Ticket)\.\*\* /gm)].map((match) => [
      match[1],
      match[2]?.toLowerCase(),
    ])
    expect(entries).toHaveLength(all(runbook, /^### (.*)$/gm).length)
    const byName = (one: readonly unknown[], other: readonly unknown[]) => String(one).localeCompare(String(other))
    expect(entries.toSorted(byName)).toEqual(alerts.map((name, index) => [name, severities[index]]).toSorted(byName))
  })

  it('is tested both ways', async () => {
    const tests = await read('ops/rules/wearon.test.yml')
    const alerts = all(await read('ops/rules/wearon.yml'), /alert: (\w+)/g).toSorted()
    expect(all(tests, /^ {6}- alertname: (\w+)$/gm).toSorted()).toEqual(alerts)
    expect(all(tests, /alertname: (\w+), eval_time: \w+, exp_alerts: \[\]/g).toSorted()).toEqual(alerts)
  })
})
