import { assertNever } from '../../events/assert-never.ts'
import type { SessionId } from '../../events/ids.ts'
import type { StepRef } from '../../machines/ports/event-log.ts'
import type { Snapshot, Tombstone } from '../../machines/snapshot.ts'
import { owesWork } from '../shared/owes-work.ts'
import type { InboxPlace } from './anchors.ts'
import type { Bodies, Closed, JournalRecord } from './records.ts'
import { judge, type Reached } from './rule.ts'

/** A checkpoint whose parts are all there: the journal may begin with it. */
export interface Checkpoint {
  readonly offset: number
  /** The last step before it. */
  readonly head: number
}

/** Values this large together make the parts of a checkpoint: far below what a broker takes, and soon written. */
const PART_BYTES = 512 * 1024

/** What a partition's journal amounts to, record by record: the owner's memory. */
export class PartitionState {
  reached: Reached = null
  head: StepRef | null = null
  /** The last message that was consumed. */
  inbox: InboxPlace | null = null
  trimmed = 0
  forgottenUntil: number | null = null
  /** The newest first. */
  checkpoints: Checkpoint[] = []
  bytesSinceCheckpoint = 0
  /** As JSON: a third of the memory of the objects, and most are not asked for until their turn comes. */
  readonly #open = new Map<SessionId, string>()
  readonly #owing = new Set<SessionId>()
  readonly #closed = new Map<SessionId, Closed>()
  #unfinished: Checkpoint | null = null

  /** Takes a record in if it counts; answers whether it does. */
  apply(record: JournalRecord): boolean {
    const reached = judge(this.reached, record.mark)
    if (reached === null) return false
    const first = this.reached === null
    this.reached = reached
    this.bytesSinceCheckpoint += record.bytes
    this.#take(record, first)
    return true
  }

  open(): Snapshot[] {
    return [...this.#owing].map((id) => JSON.parse(this.#open.get(id) ?? '') as Snapshot)
  }

  find(id: SessionId): Snapshot | Tombstone | null {
    const json = this.#open.get(id)
    if (json !== undefined) return JSON.parse(json) as Snapshot
    const closed = this.#closed.get(id)
    return closed === undefined ? null : { id, seq: closed.seq, end: closed.end }
  }

  /** What dropping steps up to a number changes, or null: tombstones beyond the bound go, oldest first, with their steps. */
  trimming(upTo: number, tombstonesMax: number): Bodies['trim'] | null {
    const until = Math.min(upTo, this.head?.number ?? 0)
    const surplus = Math.max(this.#closed.size - tombstonesMax, 0)
    const oldest = [...this.#closed.values()].slice(0, surplus)
    const forgotten = oldest.filter(({ step }) => step <= until)
    if (until <= this.trimmed && forgotten.length === 0) return null
    const times = forgotten.map(({ at }) => Date.parse(at))
    const forgottenUntil = times.reduce<number | null>((last, at) => Math.max(last ?? 0, at), this.forgottenUntil)
    return { upTo: Math.max(until, this.trimmed), forgotten: forgotten.map(({ id }) => id), forgottenUntil }
  }

  checkpoint(): Bodies['checkpoint'] {
    const { head, inbox, trimmed, forgottenUntil } = this
    return { head, inbox, trimmed, forgottenUntil }
  }

  /** The sessions in parts. Each is read when it is asked for: commits may come between two of them. */
  *parts(): Iterable<Bodies['part']> {
    let snapshots: Snapshot[] = []
    let closed: Closed[] = []
    let bytes = 0
    for (const id of [...this.#closed.keys(), ...this.#open.keys()]) {
      const json = this.#open.get(id)
      const end = this.#closed.get(id)
      if (json !== undefined) snapshots.push(JSON.parse(json) as Snapshot)
      else if (end !== undefined) closed.push(end)
      bytes += json?.length ?? 150
      if (bytes < PART_BYTES) continue
      yield { last: false, snapshots, closed }
      snapshots = []
      closed = []
      bytes = 0
    }
    yield { last: true, snapshots, closed }
  }

  /** About as many bytes as a checkpoint has. */
  get size(): number {
    let bytes = this.#closed.size * 150
    for (const json of this.#open.values()) bytes += json.length
    return bytes
  }

  #take(record: JournalRecord, first: boolean): void {
    switch (record.kind) {
      case 'claim':
        this.#unfinished = null
        return
      case 'commit':
        return this.#commit(record.body())
      case 'trim':
        return this.#trim(record.body())
      case 'checkpoint':
        return this.#begin(record.offset, record.body(), first)
      case 'part':
        return this.#part(record.body())
      default:
        assertNever(record)
    }
  }

  #commit({ step, inbox, snapshots, closed }: Bodies['commit']): void {
    if (step !== null) this.head = { number: step.number, id: step.id }
    if (inbox !== null) this.inbox = inbox
    this.#keep(snapshots, closed)
  }

  #keep(snapshots: readonly Snapshot[], closed: readonly Closed[]): void {
    for (const snapshot of snapshots) {
      this.#open.set(snapshot.id, JSON.stringify(snapshot))
      if (owesWork(snapshot)) this.#owing.add(snapshot.id)
      else this.#owing.delete(snapshot.id)
      this.#closed.delete(snapshot.id)
    }
    for (const end of closed) {
      this.#open.delete(end.id)
      this.#owing.delete(end.id)
      this.#closed.set(end.id, end)
    }
  }

  #trim({ upTo, forgotten, forgottenUntil }: Bodies['trim']): void {
    this.trimmed = upTo
    this.forgottenUntil = forgottenUntil
    for (const id of forgotten) this.#closed.delete(id)
  }

  #begin(offset: number, { head, inbox, trimmed, forgottenUntil }: Bodies['checkpoint'], first: boolean): void {
    this.#unfinished = { offset, head: head?.number ?? 0 }
    this.bytesSinceCheckpoint = 0
    if (first) Object.assign(this, { head, inbox, trimmed, forgottenUntil })
  }

  #part({ last, snapshots, closed }: Bodies['part']): void {
    this.#keep(snapshots, closed)
    if (!last || this.#unfinished === null) return
    this.checkpoints = [this.#unfinished, ...this.checkpoints]
    this.#unfinished = null
  }
}
