import { loadavg } from 'node:os'

/** What a benchmark found, by name; times in ms, rates per second, units at the names' ends. */
export type Figures = Readonly<Record<string, number>>

/** Runs, prints a table, and answers the figures that the promises speak of. */
export type Benchmark = () => Promise<Figures>

export const median = (values: readonly number[]): number => quantile(values, 0.5)

export const quantile = (values: readonly number[], share: number): number => {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN
}

/** The machine's load of the last minute, noted beside every round. */
export const load = (): string => `load ${loadavg()[0]?.toFixed(1)}`

/** The most that this process ever held in memory. */
export const peakRssMb = (): number => process.resourceUsage().maxRSS / 1024
