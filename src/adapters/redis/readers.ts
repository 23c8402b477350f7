import type { JournalReaders } from '../../machines/ports/journal-readers.ts'
import { type ReaderPlace, readersOf } from '../shared/reader-places.ts'
import type { PartitionCalls } from './partition-calls.ts'

/** Readers register and report in the hash `readers` of each partition that they follow. */
export const journalReaders = (calls: PartitionCalls, partitions: number): JournalReaders => {
  const all = Array.from({ length: partitions }, (_, partition) => ({ partition, args: [] }))
  return {
    list: async () => readersOf((await calls.each<(string | number)[]>('readers', [], all)).flatMap(placesOf)),
    remove: async (name) => (await calls.each<number>('forget_reader', [name], all)).includes(1),
  }
}

const placesOf = (answer: readonly (string | number)[]): ReaderPlace[] => {
  const places: ReaderPlace[] = []
  for (let at = 0; at < answer.length; at += 3) {
    const since = String(answer[at + 2])
    places.push({
      name: String(answer[at]),
      behind: Number(answer[at + 1]),
      waitsSince: since === '' ? null : since,
    })
  }
  return places
}
