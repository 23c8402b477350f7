import type { NewFact } from '../../src/events/fact.ts'
import type { Owner } from '../../src/events/owner.ts'
import type { ArchivedFact } from '../../src/projections/store.ts'
import {
  completed,
  factAt,
  failed,
  issued,
  refundRequested,
  requested,
  START_MS,
  started,
} from '../../test/support/facts.ts'
import { newSession, newStore, newUser } from '../../test/support/store-world.ts'

const OWNERS = 200

export interface History {
  readonly session: ReturnType<typeof newSession>
  readonly owner: Owner
  readonly facts: readonly NewFact[]
}

/** Sessions of users and stores, in turn; every third fails and is given back. */
export const newHistories = (sessions: number): History[] => {
  const owners = Array.from({ length: OWNERS }, (_, index) => (index % 2 === 0 ? newUser() : newStore()))
  return Array.from({ length: sessions }, (_, index) => {
    const owner = owners[index % OWNERS] ?? newUser()
    const end = index % 3 === 0 ? [failed('internal'), refundRequested(), issued()] : [completed()]
    return { session: newSession(), owner, facts: [requested({ owner, prompt: PROMPT }), started(), ...end] }
  })
}

const PROMPT = 'keep the pattern of the shirt and the light of the room'

/** Their facts as an archive has them behind a backlog: all first ones, then all second ones, and so on. */
export const archived = (histories: readonly History[]): ArchivedFact[] => {
  const longest = Math.max(...histories.map(({ facts }) => facts.length))
  const archive = Array.from({ length: longest }, (_, place) =>
    histories.flatMap(({ session, facts }) => {
      const fact = facts[place]
      return fact === undefined ? [] : [factAt(place + 1, fact, START_MS + place * 1_000, session)]
    }),
  ).flat()
  return archive.map((fact, index) => ({ ordinal: index + 1, fact }))
}
