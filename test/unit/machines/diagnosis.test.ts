import { describe, expect, it } from 'vitest'
import { clockDiagnosis, partitionsDiagnosis } from '../../../src/machines/ports/diagnosis.ts'

describe('the clock of a server', () => {
  it.each([
    ['between question and answer', 1_000, 0, 2_000, 'ok', 'agrees'],
    ['a little late', 0, 1_500, 1_600, 'ok', 'agrees'],
    ['3 s behind', 0, 3_000, 3_100, 'warn', '3.0 s behind'],
    ['3 s ahead', 6_100, 3_000, 3_100, 'warn', '3.0 s ahead of'],
    ['2 minutes ahead', 120_000, 0, 0, 'fail', '120.0 s ahead of'],
  ] as const)('%s', (_, itsMs, askedMs, answeredMs, verdict, says) => {
    const found = clockDiagnosis('redis', itsMs, askedMs, answeredMs)
    expect(found).toMatchObject({ about: 'clock of redis', verdict })
    expect(found.says).toContain(says)
  })
})

it('wants as many partitions as the log has for good', () => {
  expect(partitionsDiagnosis(null, 64).verdict).toBe('ok')
  expect(partitionsDiagnosis(64, 64).verdict).toBe('ok')
  expect(partitionsDiagnosis(16, 64)).toMatchObject({ verdict: 'fail', remedy: 'set PARTITIONS=16' })
})
