import { isoTime } from '../../../events/text.ts'
import type { Clock } from '../../../machines/ports/environment.ts'
import type { Archive, RowsOwner, Store } from '../../../projections/store.ts'
import { databaseAcceptances } from './acceptances.ts'
import { databaseApiKeys, databaseAudit } from './api-keys.ts'
import { databaseArchive } from './archive.ts'
import { databaseErasure } from './erasure.ts'
import type { CallFunction } from './functions.ts'
import { databaseHandbacks } from './handbacks.ts'
import { databaseHistory } from './history.ts'
import { databaseOrphans } from './orphans.ts'
import { databasePast } from './past.ts'
import { databasePauses } from './pauses.ts'
import { databasePlatform } from './platform.ts'
import { databaseQueries } from './queries.ts'
import { databaseRebuilds, databaseTables } from './tables.ts'

/** All ports of the store on top of the database's functions, however a client calls them. */
export const databaseStore = (
  call: CallFunction,
  options: {
    rowsOwner: RowsOwner
    clock: Clock
    onGrowth: Archive['onGrowth']
    /** Round trips of one kind that may be under way for requests; those that come meanwhile share the next one. */
    tripsMax: number
    close: () => Promise<void>
  },
): Store => {
  const now = () => isoTime(options.clock.now())
  return {
    archive: databaseArchive(call, options.onGrowth),
    history: databaseHistory(call),
    platform: databasePlatform(call, options.rowsOwner, options.tripsMax),
    tables: databaseTables(call, options.rowsOwner),
    rebuilds: databaseRebuilds(call, options.rowsOwner),
    queries: databaseQueries(call, options.tripsMax),
    acceptances: databaseAcceptances(call, now, options.tripsMax),
    past: databasePast(call),
    orphans: databaseOrphans(call),
    erasure: databaseErasure(call, now),
    apiKeys: databaseApiKeys(call),
    audit: databaseAudit(call),
    pauses: databasePauses(call),
    handbacks: databaseHandbacks(call),
    close: options.close,
  }
}
