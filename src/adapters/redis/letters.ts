import {
  type Burial,
  type DeadLetter,
  type DeadLetters,
  LETTER_STATES,
  partitionOfLetter,
} from '../../machines/ports/dead-letters.ts'
import { pageOf, placeIn, plainReason } from '../shared/dead-letters.ts'
import type { Argument } from './connection.ts'
import type { PartitionCalls } from './partition-calls.ts'

interface LettersAt {
  readonly each: PartitionCalls
  readonly partitions: number
  /** Rejects when another log is in this one's place. */
  readonly assertThere: () => Promise<void>
}

/** A burial as `commit.lua` reads it. */
export const burialArguments = ({ id, position, at, reason, source, bytes }: Burial): (string | Buffer)[] => [
  id,
  position,
  at,
  plainReason(reason),
  source,
  Buffer.from(bytes),
]

export const redisLetters = ({ each, partitions, assertThere }: LettersAt): DeadLetters => {
  const everywhere = Array.from({ length: partitions }, (_, partition) => ({ partition, args: [] }))
  const one = async <Answer>(
    script: 'letter' | 'mark_letter' | 'erase_letter',
    id: string,
    args: readonly Argument[],
  ) => {
    const partition = partitionOfLetter(id)
    if (partition === null || partition >= partitions) return null
    await assertThere()
    const as = script === 'letter' ? 'bytes' : 'texts'
    const [answer] = await each.each<Answer>(script, [], [{ partition, args: [id, ...args] }], as)
    return answer ?? null
  }
  return {
    list: async (query) => {
      const { limit, state } = query
      const after = placeIn(query)
      const states = state === undefined ? LETTER_STATES : [state]
      await assertThere()
      const from = after === null ? '' : `${after.time}|${after.id}`
      const answers = await each.each<string[]>('letters', [limit + 1, from, states.length, ...states], everywhere)
      return pageOf(newestOf(answers, limit + 1), limit)
    },
    open: async (id) => {
      const [text, bytes] = (await one<readonly (Buffer | null)[]>('letter', id, [])) ?? []
      return text && bytes ? { ...letterOf(id, text.toString()), bytes } : null
    },
    mark: async (id, { state, by, at, reason, attempts }) => {
      const text = await one<string>('mark_letter', id, [state, by, at, reason ?? '', attempts])
      return text === null ? null : letterOf(id, text)
    },
    erase: async (id) => (await one<number>('erase_letter', id, [])) === 1,
    counts: async () => {
      await assertThere()
      const answers = await each.each<number[]>('count_letters', [...LETTER_STATES], everywhere)
      const sum = (nth: number) => answers.reduce((total, answer) => total + (answer[nth] ?? 0), 0)
      return { waiting: sum(1), replayed: sum(2), discarded: sum(3), dropped: sum(0) }
    },
  }
}

/** Each partition answers with its newest: only those of a page are read. */
const newestOf = (answers: readonly (readonly string[])[], limit: number): DeadLetter[] => {
  const found: { readonly place: string; readonly text: string }[] = []
  for (const answer of answers) {
    for (let at = 0; at < answer.length; at += 2) {
      const [, ...place] = answer[at]?.split('|') ?? []
      found.push({ place: place.join('|'), text: answer[at + 1] ?? '' })
    }
  }
  const newest = found.toSorted((one, other) => (one.place < other.place ? 1 : -1)).slice(0, limit)
  return newest.map(({ place, text }) => letterOf(place.slice(place.indexOf('|') + 1), text))
}

const letterOf = (id: string, text: string): DeadLetter => {
  const { position: _, ...kept } = JSON.parse(text) as Omit<DeadLetter, 'id' | 'partition'> & { position: string }
  return { id, partition: partitionOfLetter(id) ?? 0, ...kept }
}
