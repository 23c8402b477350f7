import type { JournalReader, JournalReaders } from '../../machines/ports/journal-readers.ts'
import type { MemoryLogState, MemoryProcess } from './log-state.ts'

export const journalReaders = ({ state, call }: MemoryProcess): JournalReaders => ({
  list: () => call(async () => [...state.data.readers.keys()].toSorted().map((name) => readerIn(state, name))),
  remove: (name) => call(async () => state.data.readers.delete(name)),
})

/** The last step that every registered reader of a partition has behind it; infinite when it has none. */
export const readByAll = ({ data }: MemoryLogState, partition: number): number =>
  Math.min(...[...data.readers.values()].map((positions) => positions.get(partition) ?? Number.POSITIVE_INFINITY))

const readerIn = ({ data }: MemoryLogState, name: string): JournalReader => {
  const unread = [...(data.readers.get(name) ?? [])].flatMap(([partition, readUpTo]) =>
    (data.partitions[partition]?.steps ?? []).filter(({ number }) => number > readUpTo),
  )
  return { name, behind: unread.length, waitsSince: unread.map(({ at }) => at).toSorted()[0] ?? null }
}
