/**
 * The first item of every line before the second of any, until what they weigh reaches the limit: so no line waits behind a busy
 * one. Answers what was taken of each line, in its order.
 */
export const fairPage = <Item>(
  lines: readonly (readonly Item[])[],
  weigh: (item: Item) => number,
  limit: number,
): Item[][] => {
  const taken = lines.map((): Item[] => [])
  let weight = 0
  for (let turn = 0; weight < limit && lines.some((line) => line.length > turn); turn++) {
    for (const [index, line] of lines.entries()) {
      const item = line[turn]
      if (item === undefined || weight >= limit) continue
      taken[index]?.push(item)
      weight += weigh(item)
    }
  }
  return taken
}
