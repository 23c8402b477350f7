import {
  type Burial,
  type DeadLetter,
  type DeadLetters,
  type OpenedLetter,
  partitionOfLetter,
} from '../../machines/ports/dead-letters.ts'
import { buried, countsIn, erased, firstToGo, marked, pageIn } from '../shared/dead-letters.ts'
import type { MemoryLetter, MemoryLogState, MemoryPartition, MemoryProcess } from './log-state.ts'

/** Keeps what died in a commit; what a repeated commit buries again is known by its position. */
export const bury = (partition: MemoryPartition, burials: readonly Burial[], lettersMax: number): void => {
  if (burials.length === 0) return
  const { letters } = partition
  for (const burial of burials) {
    const known = letters.get(burial.id)
    const position = Number(burial.position)
    if (known !== undefined && position <= known.position) continue
    const { bytes } = burial
    letters.set(burial.id, { ...buried(known && withoutBytes(known), burial, bytes.byteLength), bytes, position })
  }
  while (letters.size > lettersMax) {
    letters.delete(firstToGo(letters.values())?.id ?? '')
    partition.lettersDropped++
  }
}

export const memoryLetters = (state: MemoryLogState, call: MemoryProcess['call']): DeadLetters => ({
  list: (query) => call(async () => pageIn([...keptIn(state)].map(withoutBytes), query)),
  open: (id) =>
    call(async () => {
      const letter = partitionWith(state, id)?.letters.get(id)
      return letter === undefined ? null : opened(letter)
    }),
  mark: (id, mark) =>
    call(async () => {
      const letters = partitionWith(state, id)?.letters
      const letter = letters?.get(id)
      if (letters === undefined || letter === undefined) return null
      const after = marked(letter, mark)
      letters.set(id, after)
      return withoutBytes(after)
    }),
  erase: (id) =>
    call(async () => {
      const letters = partitionWith(state, id)?.letters
      const letter = letters?.get(id)
      if (letters === undefined || letter === undefined) return false
      letters.set(id, { ...erased(letter), bytes: new Uint8Array() })
      return true
    }),
  counts: () =>
    call(async () => {
      const dropped = state.data.partitions.reduce((sum, { lettersDropped }) => sum + lettersDropped, 0)
      return countsIn(keptIn(state), dropped)
    }),
})

const partitionWith = (state: MemoryLogState, id: string): MemoryPartition | undefined =>
  state.data.partitions[partitionOfLetter(id) ?? -1]

const keptIn = (state: MemoryLogState) => state.data.partitions.values().flatMap(({ letters }) => letters.values())

const opened = (kept: MemoryLetter): OpenedLetter => {
  const { position: _, ...letter } = kept
  return letter
}

const withoutBytes = (letter: MemoryLetter): DeadLetter => {
  const { bytes: _, ...rest } = opened(letter)
  return rest
}
