import { describe } from 'vitest'
import { ALL_CAPABILITIES, type StoreCapabilities, type StoreWorld } from '../support/store-world.ts'
import { acceptanceLaws } from './store-acceptances.ts'
import { apiKeyLaws } from './store-api-keys.ts'
import { archiveLaws } from './store-archive.ts'
import { openStoreBench } from './store-bench.ts'
import { erasureLaws } from './store-erasure.ts'
import { handbackLaws } from './store-handbacks.ts'
import { historyLaws } from './store-history.ts'
import { orphanLaws } from './store-orphans.ts'
import { pastLaws } from './store-past.ts'
import { pauseLaws } from './store-pauses.ts'
import { projectionLaws } from './store-projections.ts'
import { queryLaws } from './store-queries.ts'
import { rebuildLaws } from './store-rebuild.ts'
import { reconciliationLaws } from './store-reconciliation.ts'

/** The promises of the archive, the history, the projections' tables, the queries and the acceptances. */
export const storeContract = (
  name: string,
  openWorld: () => Promise<StoreWorld>,
  capabilities: StoreCapabilities = ALL_CAPABILITIES,
): void => {
  describe(`${name} store`, () => {
    const bench = openStoreBench(openWorld)
    archiveLaws(bench)
    historyLaws(bench)
    projectionLaws(bench)
    rebuildLaws(bench, capabilities)
    queryLaws(bench)
    reconciliationLaws(bench)
    acceptanceLaws(bench)
    pastLaws(bench)
    orphanLaws(bench)
    erasureLaws(bench)
    apiKeyLaws(bench)
    pauseLaws(bench)
    handbackLaws(bench)
  })
}
