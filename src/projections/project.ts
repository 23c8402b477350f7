import { type Follow, follow, type Round } from './follow.ts'
import type { Projection } from './projection.ts'
import type { Archive, ArchivedFact, ProjectionTables } from './store.ts'

/** Facts of one batch, unless told: large enough that a call's round trip does not count, small enough to be written in milliseconds. */
export const BATCH_FACTS = 500

/**
 * On a server, where nobody waits in line behind it: fewer commits wait for its disk, and under load most facts of a
 * session fold into one write.
 */
export const SERVER_BATCH_FACTS = 2_000

/** Keeps a projection's rows up with the archive until the signal aborts. Any number of processes may: one does the work. */
export const project = (
  projection: Projection,
  { archive, tables }: { archive: Archive; tables: ProjectionTables },
  options: Follow,
): Promise<void> => {
  const { batchFacts = BATCH_FACTS } = options
  const { meter, logger } = options.environment
  const labels = { projection: projection.name }
  const batches = new ReadAhead(archive, batchFacts)
  let position: number | null = null
  const round = async (): Promise<Round> => {
    const from: number = position ?? (await tables.position(projection.name))
    position = from
    const facts = await batches.after(from)
    const to = facts.at(-1)?.ordinal
    if (to === undefined) return 'idle'
    if (facts.length === batchFacts) batches.begin(to)
    const outcome = await tables.apply(projection.name, from, to, projection.patches(facts))
    if (outcome === 'moved') {
      position = null
      logger.info(labels, 'another process writes this projection: standing by')
      return 'moved'
    }
    position = to
    meter.count('projection_facts_total', labels, facts.length)
    meter.gauge('projection_position', to, labels)
    return facts.length < batchFacts ? 'idle' : 'more'
  }
  return follow(options, (listener) => archive.onGrowth(listener), round)
}

/** Reads the next batch while the one before is being written. */
class ReadAhead {
  readonly #archive: Archive
  readonly #facts: number
  #next: { readonly after: number; readonly facts: Promise<ArchivedFact[]> } | null = null

  constructor(archive: Archive, facts: number) {
    this.#archive = archive
    this.#facts = facts
  }

  begin(after: number): void {
    const facts = this.#archive.read(after, this.#facts)
    // Whoever asks for it meets its error; where nobody does any more, nothing is lost.
    facts.catch(() => undefined)
    this.#next = { after, facts }
  }

  after(position: number): Promise<ArchivedFact[]> {
    const next = this.#next
    this.#next = null
    return next?.after === position ? next.facts : this.#archive.read(position, this.#facts)
  }
}

/** Tries again, now and then, what the database refused, until the signal aborts. */
export const retrySetAside = async (
  names: readonly string[],
  tables: ProjectionTables,
  { environment: { clock, meter }, signal, ...health }: Follow,
): Promise<void> => {
  while (!signal.aborted) {
    health.alive?.()
    for (const name of names)
      meter.gauge('projection_set_aside', await tables.retrySetAside(name), { projection: name })
    await clock.sleep(SET_ASIDE_RETRY_MS, signal)
  }
}

/** What refused a row (a missing account) is rarely there a second later. */
const SET_ASIDE_RETRY_MS = 60_000
