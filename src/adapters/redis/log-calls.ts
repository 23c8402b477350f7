import { parseFact } from '../../events/fact.ts'
import type { SessionId } from '../../events/ids.ts'
import { TaskSource } from '../../events/task.ts'
import type { Clock } from '../../machines/ports/environment.ts'
import type { EventLog, InboxMessage, Step } from '../../machines/ports/event-log.ts'
import type { Snapshot, Tombstone } from '../../machines/snapshot.ts'
import { fairPage } from '../shared/fair-page.ts'
import { refuseNewer } from '../shared/format.ts'
import { isCallsFault } from './errors.ts'
import type { LogKeys } from './keys.ts'
import { lanes } from './lanes.ts'
import { type EncodedCommit, parseSession } from './log-commit.ts'
import type { PartitionCall, PartitionCalls } from './partition-calls.ts'
import { reachEach } from './reach.ts'
import { CARRIED_BYTES_MAX } from './told.ts'

/** One script may hold the server for some milliseconds, not longer. */
const TRIP_BYTES_MAX = 2 * 1024 * 1024
const TRIP_CALLS_MAX = 1_000
const TRIP_SESSIONS_MAX = 10_000

type Messages = Parameters<EventLog['publish']>[0]

const VERDICTS = ['fenced', 'committed', 'repeated'] as const
export type Verdict = (typeof VERDICTS)[number]

interface TakeRequest {
  readonly partition: number
  readonly position: string
  readonly messages: number
  readonly bytes: number
}

interface LoadRequest {
  readonly partition: number
  readonly ids: readonly SessionId[]
}

export type Kept = Snapshot | Tombstone

export interface Taken {
  readonly messages: InboxMessage[]
  /** The sessions that the messages name, with what is kept of them; null for an unknown one. */
  readonly sessions: Map<SessionId, Kept | null>
}

/** The log's calls, each of which shares its round trip with all others of its kind that are made meanwhile. */
export interface LogCalls {
  publish(messages: Messages): Promise<void>
  commit(commit: EncodedCommit): Promise<Verdict>
  take(request: TakeRequest): Promise<Taken>
  load(request: LoadRequest): Promise<Map<SessionId, Kept>>
  unread(call: PartitionCall): Promise<number>
}

export const logCalls = (calls: PartitionCalls, { channel }: LogKeys): LogCalls => ({
  publish: publisher(calls, channel),
  commit: lanes(calls.together, {
    run: async (commits: readonly EncodedCommit[]) => {
      const verdicts = await calls.each<number>('commit', [channel], commits)
      return verdicts.map((verdict) => VERDICTS[verdict] ?? 'fenced')
    },
    weigh: ({ weight }) => weight,
    weightMax: TRIP_BYTES_MAX,
    itemsMax: TRIP_CALLS_MAX,
    keyOf: ({ partition }) => partition,
    isItemsFault: isCallsFault,
  }),
  take: lanes(calls.together, {
    run: (requests: readonly TakeRequest[]) => take(calls, requests),
    weigh: ({ bytes }) => bytes,
    // What is asked for is seldom there.
    weightMax: 2 * TRIP_BYTES_MAX,
    itemsMax: TRIP_CALLS_MAX,
    keyOf: ({ partition }) => partition,
    isItemsFault: isCallsFault,
  }),
  load: lanes(calls.together, {
    run: (requests: readonly LoadRequest[]) => load(calls, requests),
    weigh: ({ ids }) => ids.length,
    weightMax: TRIP_SESSIONS_MAX,
    itemsMax: TRIP_CALLS_MAX,
    isItemsFault: isCallsFault,
  }),
  unread: lanes(calls.together, {
    run: (asked: readonly PartitionCall[]) => calls.each<number>('unread', [], asked),
    weigh: () => 1,
    weightMax: TRIP_CALLS_MAX,
    itemsMax: TRIP_CALLS_MAX,
    isItemsFault: isCallsFault,
  }),
})

const publisher = (calls: PartitionCalls, channel: string): LogCalls['publish'] => {
  const send = lanes(calls.together, {
    run: (batches: readonly { readonly partition: number; readonly messages: Messages }[]) =>
      publish(
        calls,
        channel,
        batches.map(({ messages }) => messages),
      ),
    weigh: ({ messages }) => messages.reduce((bytes, message) => bytes + message.bytes.byteLength, 0),
    weightMax: TRIP_BYTES_MAX,
    itemsMax: TRIP_CALLS_MAX,
    isItemsFault: isCallsFault,
  })
  if (calls.together) return (messages) => send({ partition: 0, messages })
  return async (messages) => {
    const perPartition = Map.groupBy(messages, ({ partition }) => partition)
    await Promise.all([...perPartition].map(([partition, some]) => send({ partition, messages: some })))
  }
}

/** A publisher's messages to one partition stay in order; on a cluster those to different ones are separate calls. */
const publish = async (calls: PartitionCalls, channel: string, batches: readonly Messages[]): Promise<undefined[]> => {
  const perPartition = new Map<number, Messages[number][]>()
  for (const message of batches.flat()) {
    const known = perPartition.get(message.partition)
    if (known === undefined) perPartition.set(message.partition, [message])
    else known.push(message)
  }
  const told = [...perPartition].map(([partition, messages]) => ({
    partition,
    args: [
      partition,
      messages.length,
      ...messages.flatMap(({ source, bytes }) => [source, bytes.byteLength]),
      Buffer.concat(messages.map(({ bytes }) => bytes)),
    ],
  }))
  // A cluster's nodes would tell each other.
  await calls.each('publish', [channel, calls.together ? CARRIED_BYTES_MAX : 0], told)
  return batches.map(() => undefined)
}

const take = async (calls: PartitionCalls, requests: readonly TakeRequest[]): Promise<Taken[]> => {
  const told = requests.map(({ partition, position, messages, bytes }) => ({
    partition,
    args: [position, messages, bytes],
  }))
  const answers = await calls.each<TakeAnswer>('take', [], told, 'bytes')
  return answers.map(takenOf)
}

type TakeAnswer = readonly [heads: Buffer, bodies: Buffer, known: readonly (number | Buffer)[]]

const takenOf = ([heads, bodies, known]: TakeAnswer): Taken => {
  const messages: InboxMessage[] = []
  const ids: SessionId[] = []
  const sessions = new Map<SessionId, Kept | null>()
  let start = 0
  for (const head of heads.length === 0 ? [] : heads.toString('latin1').split('\n')) {
    const [position = '', source, length, id] = head.split(' ')
    const bytes = bodies.subarray(start, start + Number(length))
    start += Number(length)
    // A producer of its own may write to the inbox, and call itself what it likes.
    messages.push({ position, source: TaskSource.safeParse(source).data ?? 'inbox', bytes })
    // The script looked it up as an id, and answers only what it found under it.
    ids.push(id as SessionId)
    sessions.set(id as SessionId, null)
  }
  for (let at = 0; at < known.length; at += 2) {
    const id = ids[Number(known[at])]
    if (id !== undefined) sessions.set(id, parseSession(id, String(known[at + 1])))
  }
  return { messages, sessions }
}

const load = async (calls: PartitionCalls, requests: readonly LoadRequest[]) => {
  const told = requests.map(({ partition, ids }) => ({ partition, args: [ids.length, ...ids] }))
  const answers = await calls.each<(number | string)[]>('load', [], told)
  return answers.map((answer, index) => {
    const { ids = [] } = requests[index] ?? {}
    const found = new Map<SessionId, Kept>()
    for (let at = 0; at < answer.length; at += 2) {
      const id = ids[Number(answer[at])]
      if (id !== undefined) found.set(id, parseSession(id, String(answer[at + 1])))
    }
    return found
  })
}

/** Of the partitions of a cluster's node that is silent for longer nothing is read for now. */
const READ_MAX_MS = 5_000

/** See `EventLog.journal`. @throws LogGone, or for a step of a newer program. */
export const readJournal = async (
  calls: PartitionCalls,
  clock: Clock,
  after: ReadonlyMap<number, number>,
  limit: number,
): Promise<Step[]> => {
  const told = [...after].map(([partition, number]) => ({ partition, args: [number] }))
  const pages = await reachEach<string[]>(calls, 'read', [limit], told, { clock, ms: READ_MAX_MS })
  const lines = pages.map((steps) => (steps ?? []).map(parseStep))
  // A cluster answers for each partition up to the limit.
  return fairPage(lines, ({ facts }) => facts.length, limit).flat()
}

const parseStep = (text: string): Step => {
  const step = JSON.parse(text) as Step
  refuseNewer(step.format, `step ${step.number} of partition ${step.partition}`)
  return { ...step, facts: step.facts.map(parseFact) }
}
