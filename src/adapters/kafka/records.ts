import { type Fact, parseFact } from '../../events/fact.ts'
import type { SessionId } from '../../events/ids.ts'
import type { StateName } from '../../machines/compile.ts'
import { FORMAT, type Step, type StepRef } from '../../machines/ports/event-log.ts'
import type { Snapshot } from '../../machines/snapshot.ts'
import { refuseNewer } from '../shared/format.ts'
import type { InboxPlace } from './anchors.ts'
import type { WireRecord } from './protocol/record-batch.ts'
import type { Mark } from './rule.ts'

/** What is kept of a closed session: its end, when it closed, and the last step that was there by then. */
export interface Closed {
  readonly id: SessionId
  readonly seq: number
  readonly end: StateName
  readonly at: string
  readonly step: number
}

/** The values of a journal's records, JSON. A claim has none. */
export interface Bodies {
  readonly claim: Record<string, never>
  readonly commit: {
    readonly step: Step | null
    readonly inbox: InboxPlace | null
    readonly snapshots: readonly Snapshot[]
    readonly closed: readonly Closed[]
  }
  readonly trim: {
    readonly upTo: number
    readonly forgotten: readonly SessionId[]
    readonly forgottenUntil: number | null
  }
  /** Where the partition stands; its sessions follow in parts, among the commits that come meanwhile. */
  readonly checkpoint: {
    readonly head: StepRef | null
    readonly inbox: InboxPlace | null
    readonly trimmed: number
    readonly forgottenUntil: number | null
  }
  readonly part: { readonly last: boolean; readonly snapshots: readonly Snapshot[]; readonly closed: readonly Closed[] }
}

export type Kind = keyof Bodies

/** A record of the journal as it was read: its mark at once, its body when asked for. */
export type JournalRecord = {
  [K in Kind]: {
    readonly kind: K
    readonly mark: Mark
    readonly offset: number
    readonly bytes: number
    body(): Bodies[K]
  }
}[Kind]

export const encode = <K extends Kind>(mark: Mark & { readonly kind: K }, body: Bodies[K]) => ({
  headers: {
    kind: mark.kind,
    epoch: `${mark.epoch}`,
    token: mark.token,
    sequence: `${mark.sequence}`,
    format: `${FORMAT}`,
    // For whoever follows the journal without reading values.
    ...('inbox' in body && body.inbox !== null && { inbox: `${body.inbox.offset}` }),
    ...('step' in body && body.step !== null && { step: `${body.step.number}` }),
  },
  value: Buffer.from(JSON.stringify(body)),
})

/** A record that this process wrote itself: its body need not be read back. */
export const written = <K extends Kind>(
  mark: Mark & { readonly kind: K },
  at: { readonly offset: number; readonly bytes: number },
  body: Bodies[K],
): JournalRecord =>
  // The kind and its body belong together, which the union cannot say of a type parameter.
  ({ kind: mark.kind, mark, ...at, body: () => body }) as JournalRecord

/** @throws for a record of a newer program. */
export const decode = ({ offset, headers, value }: Pick<WireRecord, 'offset' | 'headers' | 'value'>): JournalRecord => {
  const { kind = '', epoch, token = '', sequence, format } = headers
  refuseNewer(Number(format), `record ${offset} of a journal`)
  const mark = { kind, epoch: Number(epoch), token, sequence: Number(sequence) }
  return {
    kind,
    mark,
    offset,
    bytes: value.byteLength,
    body: () => JSON.parse(value.toString()) as unknown,
  } as JournalRecord
}

/** A step as it was committed, its facts checked and brought up to date. */
export const parseStep = (step: Step): Step => ({
  ...step,
  facts: step.facts.map((fact: unknown): Fact => parseFact(fact)),
})
