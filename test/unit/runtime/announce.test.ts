import { describe, expect, it } from 'vitest'
import type { NewFact } from '../../../src/events/fact.ts'
import { announce } from '../../../src/machines/runtime/announce.ts'
import { completed, deferred, escalated, factAt, failed, START_MS, sessionId } from '../../support/facts.ts'

const told = (fact: NewFact) => {
  const counted: string[] = []
  const alerts: object[] = []
  const silent = () => {}
  const meter = {
    count: (name: string, labels: Readonly<Record<string, string>> = {}) =>
      void counted.push([name, ...Object.values(labels)].join(' ')),
    observe: silent,
    gauge: silent,
  }
  const logger = { info: silent, warn: silent, error: (fields: object) => void alerts.push(fields) }
  announce({ meter, logger }, factAt(3, fact))
  return { counted, alerts }
}

describe('a fact that became durable', () => {
  it('is counted by its type', () =>
    expect(told(completed())).toEqual({ counted: ['facts_total generation.completed'], alerts: [] }))

  it('of an unknown outcome is counted by its code, and by whether it is tried again', () => {
    const again = told(deferred('outcome_unknown', 1, START_MS))
    expect(again).toEqual({
      counted: ['facts_total generation.deferred', 'generation_failures_total outcome_unknown retried'],
      alerts: [],
    })
    expect(told(failed('outcome_unknown', 2)).counted).toContain('generation_failures_total outcome_unknown failed')
  })

  it.each([failed('crashed', 5), failed('quota_exhausted'), deferred('internal', 1, START_MS)])(
    'that an operator must see is logged with session and code (%j)',
    (fact) =>
      expect(told(fact).alerts).toMatchObject([{ sessionId, alert: true, code: (fact.data as { code: string }).code }]),
  )

  it('of a refund that is owed for too long is logged', () =>
    expect(told(escalated(7, START_MS)).alerts).toEqual([{ sessionId }]))
})
