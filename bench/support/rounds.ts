import { load, median } from './figures.ts'

interface Named {
  readonly name: string
}

/** What was measured of each contender, round by round. */
export interface Rounds<One extends Named> {
  readonly median: (one: One) => number
  /** The median over the rounds of one's figure to another's of the same round: both met the same machine. */
  readonly ratio: (one: One, other: One) => number
}

/**
 * Measures all contenders in turn, round after round, so that the machine's moods fall on all of them; who begins changes.
 * Round 0 warms up, and is told so to measure less.
 */
export const measureRounds = async <One extends Named>(
  contenders: readonly One[],
  { rounds, unit }: { rounds: number; unit: string },
  measure: (one: One, warmUp: boolean) => Promise<number>,
): Promise<Rounds<One>> => {
  const figures = new Map<One, number[]>(contenders.map((one) => [one, []]))
  const print = (title: string, of: (one: One) => number) => {
    const row = contenders.map((one) => `${one.name} ${of(one).toFixed(0).padStart(6)}`)
    console.log(`${title.padEnd(8)} ${row.join('   ')} ${unit}   (${load()})`)
  }
  for (const one of contenders) await measure(one, true)
  for (let round = 0; round < rounds; round++) {
    const first = round % contenders.length
    for (const one of [...contenders.slice(first), ...contenders.slice(0, first)])
      figures.get(one)?.push(await measure(one, false))
    print(`round ${round + 1}`, (one) => figures.get(one)?.at(-1) ?? Number.NaN)
  }
  const of = (one: One) => figures.get(one) ?? []
  const result: Rounds<One> = {
    median: (one) => median(of(one)),
    ratio: (one, other) => median(of(one).map((figure, round) => figure / (of(other)[round] ?? Number.NaN))),
  }
  print('median', result.median)
  return result
}
