import { afterEach, beforeEach } from 'vitest'
import type { NewFact } from '../../src/events/fact.ts'
import type { SessionId } from '../../src/events/ids.ts'
import type { Owner } from '../../src/events/owner.ts'
import type { Projection } from '../../src/projections/projection.ts'
import type { Store } from '../../src/projections/store.ts'
import { completed, failed, issued, refundRequested, requested, started } from '../support/facts.ts'
import { Chain, factsOf, LOG, newStore, order, type StoreWorld } from '../support/store-world.ts'

export const BATCH = 500
export const COMPLETED = [requested(), started(), completed()]
export const REFUNDED = [requested(), started(), failed('internal'), refundRequested(), issued()]

/** An owner's epoch. */
export const grant = (number: number) => ({ number, token: `token-${number}` })

/** What the laws of a store work with: a new world for each of them, and what they all do. */
export interface StoreBench {
  readonly world: StoreWorld
  readonly store: Store
  /** The steps of partition 0. */
  readonly chain: Chain
  /** Lets the producer order a session. */
  readonly ordered: (owner?: Owner) => Promise<SessionId>
  /** Archives facts of a session, in one step. */
  readonly archive: (session: SessionId, facts: readonly NewFact[], first?: number) => Promise<number | 'moved'>
  /** Brings a projection's rows up to the archive's end. */
  readonly project: (projection: Projection, on?: Store, batch?: number) => Promise<void>
}

/** Opens a world before each test of the suite around, and closes it afterwards. */
export const openStoreBench = (openWorld: () => Promise<StoreWorld>): StoreBench => {
  let world: StoreWorld
  let store: Store
  let chain: Chain
  beforeEach(async () => {
    world = await openWorld()
    store = world.open()
    chain = new Chain()
  })
  afterEach(() => world.close())
  return {
    get world() {
      return world
    },
    get store() {
      return store
    },
    get chain() {
      return chain
    },
    ordered: async (owner = newStore()) => {
      const placed = order(owner)
      await world.producer.order(placed)
      return placed.sessionId
    },
    archive: (session, facts, first = 1) => store.archive.append(LOG, [chain.step(...factsOf(session, facts, first))]),
    project: async (projection, on = store, batch = BATCH) => {
      for (;;) {
        const from = await on.tables.position(projection.name)
        const facts = await on.archive.read(from, batch)
        const to = facts.at(-1)?.ordinal
        if (to === undefined) return
        await on.tables.apply(projection.name, from, to, projection.patches(facts))
      }
    },
  }
}
