import { type Fact, parseFact } from '../../../events/fact.ts'
import type { SessionId } from '../../../events/ids.ts'
import type { Step } from '../../../machines/ports/event-log.ts'
import { type Archive, type ArchivedFact, type ArchiveHead, ArchiveRefused } from '../../../projections/store.ts'
import { archivedSteps } from './archived-step.ts'
import { type CallFunction, isAboutData } from './functions.ts'

/** The archive behind the database's functions. `onGrowth` is the client's: not every one can be called back. */
export const databaseArchive = (call: CallFunction, onGrowth: Archive['onGrowth']): Archive => ({
  heads: async () => {
    const heads = (await call('wearon_archive_heads', {})) as (ArchiveHead & { partition: number })[]
    return new Map(heads.map(({ partition, ...head }) => [partition, head]))
  },
  append: (log, steps) => append(call, log, steps),
  read: async (after, limit) => {
    const facts = (await call('wearon_archive_read', { p_after: after, p_limit: limit })) as ArchivedFact[]
    return facts.map(({ ordinal, fact }) => ({ ordinal, fact: parseFact(fact) }))
  },
  head: async () => Number(await call('wearon_archive_head', {})),
  session: (id) => sessionFacts(call, id),
  onGrowth,
})

const sessionFacts = async (call: CallFunction, id: SessionId): Promise<Fact[]> =>
  ((await call('wearon_archive_session', { p_session: id })) as unknown[]).map(parseFact)

const append = async (call: CallFunction, log: string, steps: readonly Step[]): Promise<number | 'moved'> => {
  try {
    const head = await call('wearon_archive_append', { p_log: log, p_steps: archivedSteps(steps) })
    return head === null ? 'moved' : Number(head)
  } catch (error) {
    throw isAboutData(error) ? new ArchiveRefused(error.message, { cause: error }) : error
  }
}
