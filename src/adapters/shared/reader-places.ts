import type { JournalReader } from '../../machines/ports/journal-readers.ts'

/** How a reader stands in one partition. */
export type ReaderPlace = JournalReader

/** Readers over all their partitions, by name. */
export const readersOf = (places: readonly ReaderPlace[]): JournalReader[] =>
  [...Map.groupBy(places, ({ name }) => name)]
    .map(([name, of]) => ({
      name,
      behind: of.reduce((sum, { behind }) => sum + behind, 0),
      waitsSince: of.flatMap(({ waitsSince }) => waitsSince ?? []).toSorted()[0] ?? null,
    }))
    .toSorted((one, other) => (one.name < other.name ? -1 : 1))
