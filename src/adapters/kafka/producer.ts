import type { Clock } from '../../machines/ports/environment.ts'
import { Unanswered } from './errors.ts'
import type { Leaders } from './leaders.ts'
import { type NewBatch, type Produced, produceQuestion } from './protocol/produce.ts'
import { ask } from './protocol/question.ts'
import type { NewRecord } from './protocol/record-batch.ts'

/** A record on its way to one partition. */
export interface Parcel extends NewRecord {
  readonly topic: string
  readonly partition: number
}

/** The offset of the first record of each partition, by `nameOf`. */
export type Placed = ReadonlyMap<string, number>

export const nameOf = ({ topic, partition }: Pick<Parcel, 'topic' | 'partition'>): string => `${topic}/${partition}`

const TRIES = 6
const PAUSE_FIRST_MS = 10
/** Sequence numbers begin anew behind it. */
const SEQUENCE_END = 2 ** 31

/** As whom a producer writes, and the sequence number of each partition's next record. */
interface Identity {
  readonly producerId: number
  readonly epoch: number
  readonly next: Map<string, number>
}

type Unsequenced = Omit<NewBatch, 'sequence'>

/**
 * Writes to any number of partitions, in one request to each of their leaders, and of one call at a time. It is idempotent: what is
 * sent again after an unknown outcome is the same batch, and a broker takes it once.
 */
export class Producer {
  readonly #leaders: Leaders
  readonly #clock: Clock
  #identity: Identity | null = null

  constructor(leaders: Leaders, clock: Clock) {
    this.#leaders = leaders
    this.#clock = clock
  }

  /** @throws what the brokers say of a partition that they did not take; others may have been taken. */
  async send(parcels: readonly Parcel[]): Promise<Placed> {
    const open = new Map([...Map.groupBy(parcels, nameOf)].map(([name, records]) => [name, batchOf(records)] as const))
    const placed = new Map<string, number>()
    for (let tries = 1; ; tries++) {
      const error = await this.#attempt(open, placed)
      if (open.size === 0) return placed
      this.#leaders.forget()
      if (tries === TRIES || !isRetriable(error)) return this.#fail(error)
      await this.#clock.sleep(PAUSE_FIRST_MS * 2 ** tries)
    }
  }

  async close(): Promise<void> {
    await this.#leaders.close()
  }

  /** A sequence number may be used up by now: under another identity it cannot stand for other records. */
  #fail(error: unknown): never {
    this.#identity = null
    throw error
  }

  /** Moves what was taken from `open` to `placed`; answers the first error of what was not. */
  async #attempt(open: Map<string, Unsequenced>, placed: Map<string, number>): Promise<unknown> {
    try {
      const led = await this.#leaders.by([...open.values()])
      const identity = (this.#identity ??= await this.#identify([...led.keys()][0] ?? ''))
      const asked = [...led].map(([leader, batches]) => this.#ask(leader, batches, identity))
      const answers = await Promise.allSettled(asked)
      const errors = answers.map((one) => {
        if (one.status === 'rejected') return one.reason as unknown
        return takeIn(one.value, { open, placed, identity })
      })
      return errors.find((error) => error !== null) ?? new Unanswered('a broker left out what it was sent')
    } catch (error) {
      return error
    }
  }

  async #identify(leader: string): Promise<Identity> {
    return { ...(await this.#leaders.newProducerId(leader)), next: new Map() }
  }

  async #ask(leader: string, batches: readonly Unsequenced[], identity: Identity): Promise<Produced[]> {
    const { producerId, epoch, next } = identity
    const sequenced = batches.map((batch) => ({
      ...batch,
      sequence: { producerId, epoch, first: next.get(nameOf(batch)) ?? 0 },
    }))
    const broker = await this.#leaders.broker(leader)
    return ask(broker, produceQuestion(sequenced, Math.floor(this.#clock.now())))
  }
}

const batchOf = (records: readonly Parcel[]): Unsequenced => {
  const { topic = '', partition = 0 } = records[0] ?? {}
  return { topic, partition, records }
}

const takeIn = (
  produced: readonly Produced[],
  to: {
    readonly open: Map<string, Unsequenced>
    readonly placed: Map<string, number>
    readonly identity: Identity
  },
): unknown => {
  const { open, placed, identity } = to
  for (const { error, offset, ...place } of produced) {
    const name = nameOf(place)
    const batch = open.get(name)
    if (error !== null || batch === undefined) continue
    identity.next.set(name, ((identity.next.get(name) ?? 0) + batch.records.length) % SEQUENCE_END)
    placed.set(name, offset)
    open.delete(name)
  }
  return produced.find(({ error }) => error !== null)?.error ?? null
}

const isRetriable = (error: unknown): boolean =>
  typeof error === 'object' && error !== null && 'retriable' in error && error.retriable === true
