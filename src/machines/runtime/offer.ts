import type { SessionId } from '../../events/ids.ts'
import { tenantOf } from '../../events/owner.ts'
import type { Owed } from '../session.ts'
import type { Snapshot } from '../snapshot.ts'
import type { Candidate, Slot } from './effect-pool.ts'

/** What is called once a slot is free for what a session owes. */
export type Grant = (id: SessionId, owes: Owed, slot: Slot, traceparent: string | undefined) => void

/** A session's place in line. A class, because hundreds of thousands may wait and each closure would cost as much again. */
export class Offer implements Candidate {
  readonly id: SessionId
  readonly tenant: string
  readonly since: number
  readonly suspect: boolean
  readonly #owes: Owed
  /** Of a refund: a generation comes back with its session. */
  readonly #traceparent: string | undefined
  readonly #granted: Grant

  constructor({ id, context }: Snapshot, owes: Owed, granted: Grant) {
    this.id = id
    this.tenant = context.owner === null ? 'unknown' : tenantOf(context.owner)
    this.since = Date.parse(context.requestedAt ?? context.failedAt ?? '')
    this.suspect = owes === 'generation' && context.orphans > 0
    this.#owes = owes
    this.#traceparent = owes === 'refund' ? context.traceparent : undefined
    this.#granted = granted
  }

  grant(slot: Slot): void {
    this.#granted(this.id, this.#owes, slot, this.#traceparent)
  }
}
