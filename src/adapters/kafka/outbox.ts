import type { KafkaConfig } from 'kafkajs'
import type { Clock } from '../../machines/ports/environment.ts'
import { grouped } from '../shared/grouped.ts'
import { typeOf } from './errors.ts'
import { Leaders } from './leaders.ts'
import { nameOf, type Parcel, type Placed, Producer } from './producer.ts'

/** Sends to any number of partitions in one request to each broker. */
export type Send = (parcels: readonly Parcel[]) => Promise<Placed>

export interface Outbox {
  /** The offset of the first parcel in each partition, durable on all replicas in sync. An error leaves the outcome unknown. */
  send(parcels: readonly Parcel[]): Promise<number>
  close(): Promise<void>
}

const REQUEST_BYTES_MAX = 4 * 1024 * 1024
const REQUEST_PARCELS_MAX = 5_000

/** Another try would meet the same answer. */
export const isParcelsFault = (error: unknown): boolean =>
  ['MESSAGE_TOO_LARGE', 'RECORD_LIST_TOO_LARGE', 'INVALID_RECORD'].includes(typeOf(error) ?? '')

/** What brokers answer for one partition, while they may take what goes to the others. */
const isPartitionsFault = (error: unknown): boolean => typeOf(error) !== null && !isParcelsFault(error)

/** Sends what is handed in, one request at a time, which carries all that came while the one before was under way. */
interface Lane {
  send(parcels: readonly Parcel[]): Promise<number>
  close(): Promise<void>
}

export interface OutboxAt {
  readonly config: KafkaConfig
  readonly topics: readonly string[]
  readonly clock: Clock
  /** The broker that led a partition when it was last looked up; empty when nobody knows. */
  readonly leaderOf: (parcel: Parcel) => string
  /** How records reach the brokers: a test loses answers here. */
  readonly decorate?: (send: Send) => Send
}

/**
 * A lane to each broker and topic, so that one that is down keeps nobody waiting but its own partitions, and no commit waits for
 * what is published; and one for the partitions that were refused, until they are taken again.
 */
export const openOutbox = (at: OutboxAt): Outbox => {
  const lanes = new Map<string, Lane>()
  const refused = new Set<string>()
  const laneOf = (name: string): Lane => {
    const lane = lanes.get(name) ?? openLane(at)
    lanes.set(name, lane)
    return lane
  }
  const sendOn = async (name: string, parcels: readonly Parcel[]): Promise<number> => {
    try {
      const offset = await laneOf(name).send(parcels)
      for (const parcel of parcels) refused.delete(nameOf(parcel))
      return offset
    } catch (error) {
      if (isPartitionsFault(error)) for (const parcel of parcels) refused.add(nameOf(parcel))
      throw error
    }
  }
  return {
    send: async (parcels) => {
      const laneFor = (parcel: Parcel) => `${at.leaderOf(parcel)}/${parcel.topic}`
      const byLane = Map.groupBy(parcels, (parcel) => (refused.has(nameOf(parcel)) ? REFUSED : laneFor(parcel)))
      const offsets = await Promise.all([...byLane].map(([name, some]) => sendOn(name, some)))
      return offsets[0] ?? -1
    },
    close: async () => {
      await Promise.all([...lanes.values()].map((lane) => lane.close()))
    },
  }
}

/** The lane of what was refused. */
const REFUSED = 'refused'

const openLane = ({ config, topics, clock, decorate = (send) => send }: OutboxAt): Lane => {
  const producer = new Producer(new Leaders(config, topics), clock)
  const send = decorate((parcels) => producer.send(parcels))
  return {
    send: grouped({
      run: async (calls: readonly (readonly Parcel[])[]) => offsetsOf(calls, await send(calls.flat())),
      weigh: (parcels) => parcels.reduce((bytes, { value }) => bytes + (value?.byteLength ?? 0) + 100, 0),
      weightMax: REQUEST_BYTES_MAX,
      itemsMax: REQUEST_PARCELS_MAX,
      isItemsFault: (error) => typeOf(error) !== null,
    }),
    close: () => producer.close(),
  }
}

/** Records of one partition lie in a row, in the order in which they were handed in. */
const offsetsOf = (calls: readonly (readonly Parcel[])[], placed: Placed): number[] => {
  const next = new Map(placed)
  return calls.map((parcels) => {
    let first = -1
    for (const parcel of parcels) {
      const name = nameOf(parcel)
      const offset = next.get(name) ?? -1
      if (first < 0) first = offset
      next.set(name, offset + 1)
    }
    return first
  })
}
