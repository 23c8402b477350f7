import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { metricTable } from '../../src/http/metric-table.ts'
import { bookMetrics } from '../../src/http/metrics/books.ts'
import { doorMetrics } from '../../src/http/metrics/door.ts'
import { effectMetrics } from '../../src/http/metrics/effects.ts'
import { sessionMetrics } from '../../src/http/metrics/sessions.ts'
import { upkeepMetrics } from '../../src/http/metrics/upkeep.ts'
import { PromMeter } from '../../src/http/prom-meter.ts'

const strict = () =>
  new PromMeter({
    processMetrics: false,
    onUnknown: (error) => {
      throw error
    },
  })

const SRC = join(import.meta.dirname, '../../src')
const kinds = { count: 'counter', gauge: 'gauge', observe: 'histogram' } as const

describe('the table of metrics', () => {
  test('names each metric once', () => {
    const parts = [doorMetrics, sessionMetrics, effectMetrics, upkeepMetrics, bookMetrics]
    expect(parts.flatMap((part) => Object.keys(part)).toSorted()).toEqual(Object.keys(metricTable).toSorted())
  })

  test('has every metric that the sources feed, of the right kind', async () => {
    const files = (await readdir(SRC, { recursive: true })).filter((file) => file.endsWith('.ts'))
    const fed = await Promise.all(
      files.map(async (file) => {
        const text = await readFile(join(SRC, file), 'utf8')
        return [...text.matchAll(/\bmeter\.(count|gauge|observe)\(\s*'([^']+)'/g)]
      }),
    )
    const calls = fed.flat().map(([, call, name]) => ({ name, type: kinds[call as keyof typeof kinds] }))
    expect(calls.length).toBeGreaterThan(10)
    for (const { name, type } of calls) expect([name, metricTable[name ?? '']?.type]).toEqual([name, type])
  })
})

describe('PromMeter', () => {
  test('exposes what it was fed, under our prefix', async () => {
    const meter = strict()
    meter.count('facts_total', { type: 'generation.started' }, 3)
    meter.gauge('http_streams', 7)
    meter.observe('effect_seconds', 0.2, { effect: 'refund', how: 'value' })
    const text = await meter.expose()
    expect(text).toContain('wearon_facts_total{type="generation.started"} 3')
    expect(text).toContain('wearon_http_streams 7')
    expect(text).toContain('wearon_effect_seconds_bucket{le="0.5",effect="refund",how="value"} 1')
  })

  test.each([
    ['a name that is not in the table', (meter: PromMeter) => meter.count('nothing_total')],
    ['another type than the table says', (meter: PromMeter) => meter.gauge('facts_total', 1)],
    ['a label that the table does not have', (meter: PromMeter) => meter.count('facts_total', { session: 'x' })],
  ])('reports %s, once, and harms nobody', (_name, feed) => {
    expect(() => feed(strict())).toThrow('_')
    const reported: string[] = []
    const meter = new PromMeter({ processMetrics: false, onUnknown: ({ name }) => reported.push(name) })
    feed(meter)
    feed(meter)
    expect(reported).toEqual(['UnknownMetric'])
  })

  test('adds the process’s own metrics, without names that break Prometheus’ rules', async () => {
    const text = await new PromMeter({ processMetrics: true, onUnknown: () => {} }).expose()
    expect(text).toContain('process_resident_memory_bytes')
    expect(text).toContain('nodejs_eventloop_lag_p99_seconds')
    expect(text).not.toMatch(/^# TYPE \S+_total gauge$/m)
  })
})
