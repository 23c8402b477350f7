import { randomUUID } from 'node:crypto'
import type { PlatformPlay } from '../../src/adapters/memory/platform-play.ts'
import type { Fact, NewFact } from '../../src/events/fact.ts'
import { SessionId, StoreId, UserId } from '../../src/events/ids.ts'
import type { Owner } from '../../src/events/owner.ts'
import { FORMAT, type Step, type StepRef } from '../../src/machines/ports/event-log.ts'
import type { Charge, Producer } from '../../src/projections/producer.ts'
import type { RowsOwner, Store } from '../../src/projections/store.ts'
import { factAt, START_MS } from './facts.ts'
import type { Tamper } from './tamper.ts'

/** The platform's session row, as far as laws speak of it. */
export interface RowSeen {
  status: string
  state: string | null
  errorMessage: string | null
  imageUrl: string | null
  seq: number | null
  origin: string | null
}

/** A new database, and what a test does with it. */
export interface StoreWorld {
  /** Opens the store as one more process, on a connection of its own where there can be several. */
  open(rowsOwner?: RowsOwner): Store
  readonly producer: Producer
  readonly play: PlatformPlay
  readonly tamper: Tamper
  /** Balance of a user, a store, or a store's shopper. */
  balance(owner: Owner, shopperEmail?: string): Promise<number>
  /** Descriptions of the ledger's refunds to an account, oldest first. */
  refunds(owner: Owner): Promise<string[]>
  row(session: SessionId): Promise<RowSeen | null>
  /** Makes the row this much older. */
  age(session: SessionId, ms: number): Promise<void>
  /** Changes the row behind everybody's back. */
  damage(session: SessionId): Promise<void>
  /** Takes the session row away, and nothing else. */
  dropRow(session: SessionId): Promise<void>
  /** Takes an account's balance row away, and nothing else. */
  dropBalance(owner: Owner): Promise<void>
  close(): Promise<void>
}

/** What a database cannot keep for a reason that is no fault. */
export interface StoreCapabilities {
  /** Whether session rows, and the accounts that they need, may be made here: a hosted project makes its users itself. */
  readonly ownTables: boolean
}

export const ALL_CAPABILITIES: StoreCapabilities = { ownTables: true }

export const newSession = (): SessionId => SessionId.parse(randomUUID())
export const newUser = (): Owner => ({ channel: 'b2c', userId: UserId.parse(randomUUID()) })
export const newStore = (): Owner => ({ channel: 'b2b', storeId: StoreId.parse(randomUUID()) })

export const SHOPPER = 'Anna@Example.com'

/** What a producer orders, with a request id of its own. */
export const order = (owner: Owner, charge: Charge = 'account', sessionId = newSession()) => ({
  sessionId,
  owner,
  requestId: `req_${sessionId}`,
  imageUrls: ['https://images.example/person.jpg', 'https://images.example/garment.jpg'],
  prompt: 'a coat',
  charge,
  shopperEmail: SHOPPER,
})

/** A session's facts from `first` on. */
export const factsOf = (session: SessionId, facts: readonly NewFact[], first = 1): Fact[] =>
  facts.map((fact, index) => ({
    ...factAt(first + index, fact, START_MS + (first + index) * 1_000, session),
    requestId: `req_${session}`,
  }))

export const LOG = 'log-1'

/** Makes steps of a partition that follow one another. */
export class Chain {
  head: StepRef | null
  readonly partition: number

  constructor(partition = 0, head: StepRef | null = null) {
    this.partition = partition
    this.head = head
  }

  step(...facts: readonly Fact[]): Step {
    const { partition, head } = this
    const number = (head?.number ?? 0) + 1
    const at = new Date(START_MS).toISOString()
    const step = {
      format: FORMAT,
      partition,
      number,
      id: randomUUID(),
      previous: head?.id ?? null,
      // Later than any that a test is granted.
      epoch: 1_000,
      at,
      facts,
    }
    this.head = { number, id: step.id }
    return step
  }
}
