import { randomBytes, randomUUID } from 'node:crypto'
import { type Fact, parseFact } from '../../src/events/fact.ts'
import { SessionId } from '../../src/events/ids.ts'
import { isoTime } from '../../src/events/text.ts'
import { type StateName, sessionTable } from '../../src/machines/compile.ts'
import { type Burial, letterId } from '../../src/machines/ports/dead-letters.ts'
import {
  type Commit,
  FORMAT,
  type PartitionLease,
  type Step,
  type StepRef,
} from '../../src/machines/ports/event-log.ts'
import type { Snapshot, Tombstone } from '../../src/machines/snapshot.ts'

const AT = Date.UTC(2026, 5, 1)

export const sessionId = (): SessionId => SessionId.parse(randomUUID())

/** Some fact: the log keeps them and does not read them. */
const someFact = (session: SessionId, seq = 1): Fact =>
  parseFact({
    id: `${session}/${seq}`,
    type: 'refund.requested',
    version: 1,
    sessionId: session,
    seq,
    at: isoTime(AT),
    requestId: 'request-ü-1',
    data: {},
  })

export const snapshot = (id: SessionId, state: StateName = 'queued', seq = 1): Snapshot => ({
  id,
  seq,
  state,
  context: { ...sessionTable.initial.context, prompt: 'a “quoted” \\ prompt\n' },
})

export const tombstone = (id: SessionId, end: StateName = 'completed', seq = 3): Tombstone => ({ id, seq, end })

/** The next step of the lease's partition, behind `head`. */
export const nextStep = (lease: PartitionLease, head: StepRef | null, facts = 1, at = AT): Step => ({
  number: (head?.number ?? 0) + 1,
  id: randomBytes(16).toString('hex'),
  format: FORMAT,
  partition: lease.partition,
  previous: head?.id ?? null,
  epoch: lease.epoch.number,
  at: isoTime(at),
  facts: Array.from({ length: facts }, () => someFact(sessionId())),
})

export const commitOf = (parts: Partial<Commit>): Commit => ({
  head: parts.step?.previous ?? null,
  step: null,
  inbox: null,
  snapshots: [],
  tombstones: [],
  deadLetters: [],
  ...parts,
})

/** A death of a message that lay at this place of the inbox. */
export const burial = (
  partition: number,
  position: string,
  bytes: string | Uint8Array,
  changes: Partial<Burial> = {},
): Burial => {
  const raw = typeof bytes === 'string' ? Buffer.from(bytes) : bytes
  const id = letterId(partition, raw)
  return { id, partition, position, reason: 'not UTF-8', source: 'list', bytes: raw, at: isoTime(AT), ...changes }
}

export const message = (partition: number, text: string | Uint8Array) => ({
  partition,
  source: 'http' as const,
  bytes: typeof text === 'string' ? Buffer.from(text) : text,
})
