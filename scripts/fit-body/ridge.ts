import type { Linear } from '../../src/body/model.ts'

/** Strength of the ridge per sample, on features of mean 0 and deviation 1: it only keeps near copies of a feature from cancelling out. */
const RIDGE = 1e-3

/** Least squares with a ridge (Hoerl and Kennard 1970): finds intercept and weights that give `targets` from `rows`. */
export function ridge(rows: readonly (readonly number[])[], targets: readonly number[]): Linear {
  const means = columns(rows).map(mean)
  const deviations = columns(rows).map(deviation)
  const scaled = rows.map((row) => row.map((value, i) => (value - at(means, i)) / at(deviations, i)))
  const middle = mean(targets)
  const weights = solve(
    gram(scaled, RIDGE * rows.length),
    columns(scaled).map((column) =>
      dot(
        column,
        targets.map((target) => target - middle),
      ),
    ),
  ).map((weight, i) => weight / at(deviations, i))
  return { intercept: middle - dot(weights, means), weights }
}

/** XᵀX with `strength` added to its diagonal. */
export function gram(rows: readonly (readonly number[])[], strength: number): number[][] {
  const sides = columns(rows)
  return sides.map((left, i) => sides.map((right, j) => dot(left, right) + (i === j ? strength : 0)))
}

/** x of Ax = b by Gauss's elimination with the largest pivot. A is small, square and not singular. */
export function solve(matrix: readonly (readonly number[])[], right: readonly number[]): number[] {
  const rows = matrix.map((row, i) => [...row, at(right, i)])
  for (let pivot = 0; pivot < rows.length; pivot++) eliminate(rows, pivot)
  return rows.map((row, i) => at(row, rows.length) / at(row, i))
}

function eliminate(rows: number[][], pivot: number): void {
  const best = rows
    .slice(pivot)
    .reduce((found, row) => (Math.abs(at(row, pivot)) > Math.abs(at(found, pivot)) ? row : found))
  const place = rows.indexOf(best)
  const moved = rows[pivot] ?? best
  rows[place] = moved
  rows[pivot] = best
  for (const row of rows) {
    if (row === best) continue
    const factor = at(row, pivot) / at(best, pivot)
    for (let i = pivot; i < row.length; i++) row[i] = at(row, i) - factor * at(best, i)
  }
}

export const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length

export function deviation(values: readonly number[]): number {
  const middle = mean(values)
  return Math.sqrt(mean(values.map((value) => (value - middle) ** 2)))
}

/** The value below which the share `q` lies. */
export function quantile(values: readonly number[], q: number): number {
  return at(
    values.toSorted((a, b) => a - b),
    Math.min(values.length - 1, Math.floor(q * values.length)),
  )
}

const columns = (rows: readonly (readonly number[])[]): number[][] =>
  (rows[0] ?? []).map((_, i) => rows.map((row) => at(row, i)))
const dot = (a: readonly number[], b: readonly number[]): number =>
  a.reduce((sum, value, i) => sum + value * at(b, i), 0)

/** @throws RangeError past the end, which only a mistake of ours reaches. */
export function at<T>(values: readonly T[], index: number): T {
  const value = values[index]
  if (value === undefined) throw new RangeError(`no element ${index}`)
  return value
}
