import type { Act } from './acts.ts'
import type { ChaosOutcome } from './scenario.ts'
import type { Played } from './stage.ts'

const VIOLATIONS_SHOWN = 20

/** One run for people: what befell it, what became of the sessions, how long recoveries took, and what was broken. */
export const reportOf = (outcome: ChaosOutcome): string => {
  const { seed, violations, ends, tries, refunds, repairs, deadLetters, tookMs, evidence } = outcome
  const lines = [
    `seed ${seed}, ${(tookMs / 1_000).toFixed(0)} s: ${outcome.played.length} faults (${countsOf(outcome.played)})`,
    `  sessions   ${pairs(ends)}`,
    `  tries      ${tries}, refunds ${refunds}, partitions repaired ${repairs}, dead letters ${deadLetters}`,
    `  recovery   ${recoveryLine(outcome.played)}`,
  ]
  if (outcome.ledgerLost > 0)
    lines.push(`  ledger     lost ${outcome.ledgerLost} refunds with its last second; the reconciliation names each`)
  if (violations.length === 0) return [...lines, '  every promise holds'].join('\n')
  const shown = violations
    .slice(0, VIOLATIONS_SHOWN)
    .map(({ promise, about, what }) => `    ${promise}: ${about}: ${what}`)
  return [...lines, `  ${violations.length} BROKEN, what the processes said is in ${evidence}:`, ...shown].join('\n')
}

/** The same as one JSON line. */
export const jsonOf = (outcome: ChaosOutcome): string => {
  const { played, ...rest } = outcome
  const recovered = { kill: recoveryOf(played, 'kill'), freeze: recoveryOf(played, 'freeze') }
  const acts = played.map(({ act, wholeAfterMs }) => ({ ...act, whole_after_ms: wholeAfterMs }))
  return JSON.stringify({ ...rest, recovery_ms: recovered, acts })
}

/** Several seeds at a glance. */
export const tableOf = (outcomes: readonly ChaosOutcome[]): string => {
  const rows = outcomes.map(({ seed, violations, played, tries, refunds, repairs, tookMs }) => {
    const { median, worst } = recoveryOf(played, 'kill')
    const numbers = [played.length, tries, refunds, repairs, median ?? '-', worst ?? '-', Math.round(tookMs / 1_000)]
    return [seed, ...numbers, violations.length === 0 ? 'holds' : `${violations.length} BROKEN`].map(String)
  })
  const heads = ['seed', 'faults', 'tries', 'refunds', 'repairs', 'median ms', 'worst ms', 'took s', 'promises']
  const widths = heads.map((head, column) => Math.max(head.length, ...rows.map((row) => (row[column] ?? '').length)))
  return [heads, ...rows]
    .map((row) => row.map((cell, column) => cell.padStart(widths[column] ?? 0)).join('  '))
    .join('\n')
}

interface Recovery {
  readonly partitions: number
  readonly median: number | null
  readonly worst: number | null
}

/** How long partitions stood still after their process was killed or stopped, ms. */
const recoveryOf = (played: readonly Played[], kind: Act['kind']): Recovery => {
  const sorted = played
    .filter(({ act }) => act.kind === kind)
    .flatMap(({ recoveriesMs }) => recoveriesMs)
    .toSorted((a, b) => a - b)
  return {
    partitions: sorted.length,
    median: sorted[Math.floor(sorted.length / 2)] ?? null,
    worst: sorted.at(-1) ?? null,
  }
}

const recoveryLine = (played: readonly Played[]): string =>
  (['kill', 'freeze'] as const)
    .map((kind) => ({ kind, ...recoveryOf(played, kind) }))
    .filter(({ partitions }) => partitions > 0)
    .map(({ kind, partitions, median, worst }) => {
      const cause = kind === 'kill' ? 'a kill -9' : 'a SIGSTOP'
      return `${partitions} partitions moved again after ${cause} in ${median} ms (median), ${worst} ms (worst)`
    })
    .join('; ')

const countsOf = (played: readonly Played[]): string => {
  const counts: Record<string, number> = {}
  for (const { act } of played) counts[act.kind] = (counts[act.kind] ?? 0) + 1
  return pairs(counts)
}

const pairs = (counts: Readonly<Record<string, number>>): string =>
  Object.entries(counts)
    .map(([name, count]) => `${name} ${count}`)
    .join(', ')
