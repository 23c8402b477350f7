import { grouped } from '../shared/grouped.ts'
import { Unanswered } from './errors.ts'
import type { Bounds, Wire } from './wire.ts'

/** As many as a log may have. */
const PARTITIONS_MAX = 100_000

/** Where the inbox of a partition begins and ends: one question for all that are asked for meanwhile. */
export const inboxBounds = (wire: Wire, topic: string): ((partition: number) => Promise<Bounds>) => {
  const boundsOf = grouped({
    run: async (partitions: readonly number[]) => {
      const bounds = await wire.bounds(topic)
      return partitions.map((partition) => bounds[partition])
    },
    weigh: () => 1,
    weightMax: PARTITIONS_MAX,
    itemsMax: PARTITIONS_MAX,
    isItemsFault: () => false,
  })
  return async (partition) => {
    const bounds = await boundsOf(partition)
    if (bounds === undefined) throw new Unanswered(`partition ${partition} of ${topic} does not say where it ends`)
    return bounds
  }
}
