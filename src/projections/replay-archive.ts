import { z } from 'zod'
import type { Fact } from '../events/fact.ts'
import type { SessionTable, StateName } from '../machines/compile.ts'
import type { Clock } from '../machines/ports/environment.ts'
import { Refold } from '../machines/refold.ts'
import { type Snapshot, sessionState } from '../machines/snapshot.ts'
import { type Recorded, whyUnreadable } from './fact-dump.ts'
import { BATCH_FACTS } from './project.ts'
import type { SessionView } from './queries.ts'
import type { Finding } from './replay.ts'
import { sessions } from './sessions.ts'
import type { Archive, Store } from './store.ts'

/** The archive's facts behind one ordinal up to another. What this version cannot read comes as unreadable. */
export async function* archivedFacts(archive: Archive, after: number, upTo: number): AsyncGenerator<Recorded> {
  for (let at = after; at < upTo; ) {
    const page = await readPage(archive, at, Math.min(BATCH_FACTS, upTo - at))
    if (page.length === 0) return
    yield* page
    at += page.length
  }
}

/** One by one where a page holds what cannot be read. */
const readPage = async (archive: Archive, after: number, limit: number): Promise<Recorded[]> => {
  try {
    return (await archive.read(after, limit)).map(({ fact }) => ({ fact, state: null }))
  } catch (error) {
    if (!(error instanceof z.ZodError)) throw error
    if (limit === 1) return [{ id: `number ${after + 1} of the archive`, why: whyUnreadable(error) }]
    const pages = []
    for (let at = after; at < after + limit; at++) pages.push(...(await readPage(archive, at, 1)))
    return pages
  }
}

/** Behind which ordinal the facts since a moment (ISO 8601) begin; the archive keeps them about in the order of time. */
export const ordinalBefore = async (archive: Archive, since: string, head: number): Promise<number> => {
  let [from, to] = [0, head]
  while (from < to) {
    const middle = Math.floor((from + to) / 2)
    const [found] = await readPage(archive, middle, 1)
    const isBefore = found !== undefined && 'fact' in found && found.fact.at < since
    if (isBefore) from = middle + 1
    else to = middle
  }
  return from
}

/** A row may be on its way still while its session goes on. */
const LOOKS_MAX = 20
const LOOK_AGAIN_MS = 500

type Read = Pick<Store, 'archive' | 'queries' | 'tables'>

/** Holds where a session stands against its row, which an earlier version wrote. */
export const rowCheck =
  (store: Read, table: SessionTable, clock: Clock) =>
  async ({ id, seq, state }: Snapshot): Promise<Finding | null> => {
    const row = await store.queries.session(id)
    if (row === null || agree(row, state)) return null
    return settled({ id, seq }, store, table, clock)
  }

/** A session that was handed back is another worker's, and so is its row. */
const agree = (row: SessionView, state: StateName): boolean =>
  state === 'handed_back' || row.state === sessionState(state)

/** The same, once nothing of it moves: facts are as before, and the rows have them. */
const settled = async (
  { id, seq }: Pick<Snapshot, 'id' | 'seq'>,
  { archive, queries, tables }: Read,
  table: SessionTable,
  clock: Clock,
): Promise<Finding | null> => {
  for (let looks = 1; ; looks++) {
    const facts = await archive.session(id)
    const head = await archive.head()
    const rowsHaveThem = (await tables.position(sessions.name)) >= head
    const row = await queries.session(id)
    const now = folded(facts, table)
    if (row === null || now === null || agree(row, now)) return null
    const stands = rowsHaveThem && (await archive.session(id)).length === facts.length
    if (stands || looks === LOOKS_MAX) return { kind: 'row_differs', sessionId: id, seq, was: row.state, now }
    await clock.sleep(LOOK_AGAIN_MS)
  }
}

/** Where the facts lead; null when they are refused, which shows elsewhere. */
const folded = (facts: readonly Fact[], table: SessionTable): StateName | null => {
  const refold = new Refold(table, { whole: true })
  let state: StateName | null = null
  for (const fact of facts) {
    const next = refold.take(fact, null)
    if (next.kind !== 'moved') return null
    state = next.session.state
  }
  return state
}
