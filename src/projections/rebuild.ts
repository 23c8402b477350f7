import { BATCH_FACTS } from './project.ts'
import type { Projection } from './projection.ts'
import { type Archive, type DriftReport, type ProjectionTables, type Rebuilds, shadowName } from './store.ts'

/** How often the live projection may be a batch ahead at the moment of the switch. */
const SWITCHES_MAX = 1_000

export interface RebuildProgress {
  /** The ordinal up to which rows are computed aside, and the one to reach. */
  readonly position: number
  readonly target: number
}

/**
 * Computes a projection's rows anew from the first fact, aside, while the live projection goes on; then corrects the live
 * rows in place and reports what was different. @throws when the signal aborts, or another rebuild of it runs.
 */
export const rebuild = async (
  projection: Projection,
  { archive, tables, rebuilds }: { archive: Archive; tables: ProjectionTables; rebuilds: Rebuilds },
  { signal, onProgress }: { signal?: AbortSignal; onProgress?: (progress: RebuildProgress) => void } = {},
): Promise<DriftReport> => {
  await rebuilds.begin(projection.name)
  let position = 0
  for (let tries = 0; tries < SWITCHES_MAX; tries++) {
    const target = await tables.position(projection.name)
    while (position < target) {
      signal?.throwIfAborted()
      position = await computeAside(projection, archive, tables, position, target)
      onProgress?.({ position, target })
    }
    const switched = await rebuilds.switchOver(projection.name)
    if (switched.outcome === 'switched') return switched
  }
  throw new Error(`the rows of ${projection.name} moved on at each of ${SWITCHES_MAX} switches`)
}

/** Applies the next facts, none behind the target. Answers the new position. */
const computeAside = async (
  projection: Projection,
  archive: Archive,
  tables: ProjectionTables,
  from: number,
  target: number,
): Promise<number> => {
  const facts = await archive.read(from, Math.min(BATCH_FACTS, target - from))
  const to = facts.at(-1)?.ordinal
  if (to === undefined)
    throw new Error(`the archive ends at ${from}, before the position ${target} of ${projection.name}`)
  const outcome = await tables.apply(shadowName(projection.name), from, to, projection.patches(facts))
  if (outcome === 'moved') throw new Error(`another rebuild of ${projection.name} is running`)
  return to
}
