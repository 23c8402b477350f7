import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { chartPage, mermaid, REGENERATE } from '../../../src/machines/chart.ts'
import { sessionTable } from '../../../src/machines/compile.ts'
import { sessionMachine } from '../../../src/machines/session.ts'

describe('the chart of a session', () => {
  it('in docs/session-chart.md is the one of the machine as it is', () => {
    const page = readFileSync(new URL('../../../docs/session-chart.md', import.meta.url), 'utf8')
    expect(page === chartPage(sessionMachine), `docs/session-chart.md is not up to date: ${REGENERATE}`).toBe(true)
  })

  it('shows every state with what it owes', () => {
    const chart = mermaid(sessionMachine)
    for (const [state, { owes }] of sessionTable.states) {
      const key = state.split('.').at(-1)
      expect(chart).toContain(`state "${key}${owes === null ? '' : `<br>owes ${owes}`}" as ${state.replace('.', '_')}`)
    }
  })

  it('shows every fact that a state accepts, with its condition', () => {
    const arrows = mermaid(sessionMachine).split('\n')
    expect(arrows).toContain('  processing --> completed : generation.completed [currentAttempt]')
    expect(arrows).toContain('  failed_owed --> refunded : refund.issued')
    for (const [state, { on }] of sessionTable.states) {
      const from = arrows.filter((line) => line.startsWith(`  ${state.replace('.', '_')} --> `))
      const shown = from
        .map((line) => line.replace(/^.* : /, '').replace(/ \[.*$/, ''))
        .filter((fact) => fact.includes('.'))
      expect(new Set(shown)).toEqual(new Set(on.keys()))
    }
  })
})
