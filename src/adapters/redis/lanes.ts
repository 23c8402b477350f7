import { type Grouping, grouped } from '../shared/grouped.ts'

/**
 * Gathers calls into round trips: those of all partitions where they travel together. On a cluster each partition has round trips
 * of its own, so that a node that does not answer holds up nobody else.
 */
export const lanes = <Item extends { readonly partition: number }, Result>(
  together: boolean,
  grouping: Grouping<Item, Result>,
): ((item: Item) => Promise<Result>) => {
  if (together) return grouped(grouping)
  const perPartition = new Map<number, (item: Item) => Promise<Result>>()
  return (item) => {
    const lane = perPartition.get(item.partition) ?? grouped(grouping)
    perPartition.set(item.partition, lane)
    return lane(item)
  }
}
