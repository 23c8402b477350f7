import { type KafkaConfig, logLevel } from 'kafkajs'
import type { Clock } from '../../machines/ports/environment.ts'
import type { EventLog, Owner } from '../../machines/ports/event-log.ts'
import { LETTERS_MAX } from '../shared/dead-letters.ts'
import type { HeldLease } from '../shared/kept-lease.ts'
import { keepLeases } from '../shared/lease-keeper.ts'
import { explained } from './access.ts'
import { Anchors } from './anchors.ts'
import { calmKafkajs } from './calm-kafkajs.ts'
import { joinGroup } from './group.ts'
import { inboxBounds } from './inbox-bounds.ts'
import { Journal } from './journal.ts'
import { kafkaLeaseTable, type LeaseStart } from './lease-table.ts'
import { Letters } from './letters.ts'
import { watchLinks } from './links.ts'
import { News } from './news.ts'
import { type Outbox, openOutbox, type Send } from './outbox.ts'
import { type LogContext, openKafkaLease } from './partition-lease.ts'
import { patience } from './patience.ts'
import type { Parcel } from './producer.ts'
import { Readers } from './readers.ts'
import { createTopics, namesOf, type Topics, topicsOf } from './topics.ts'
import { Wire } from './wire.ts'

/** With the session below, new owners go on 10 s after a process died, at the latest. */
const LEASE_TTL_MS = 4_000
/** A process is out of the group later than its leases end on its own clock; 6 s is what brokers take at least. */
const SESSION_PER_TTL = 1.5
/** Longer than the effects' own grace period, which ends first. */
const DRAIN_MS = 120_000
/** As many closed sessions as a partition remembers: a million over 64 partitions. */
const TOMBSTONES_MAX = 20_000
const SPARE_LETTER_RECORDS = 1_000
const CHECKPOINT_BYTES = 4 * 1024 * 1024
/** So that one call's records fit in a request, whatever their number. */
const PUBLISH_BYTES = 2 * 1024 * 1024
const PUBLISH_TRIES = 5
const PUBLISH_PAUSE_MS = 100

export interface KafkaLogOptions {
  /** Brokers, TLS and credentials as kafkajs takes them. */
  readonly kafka: KafkaConfig
  /** The same for the membership in the consumer group, when that should differ: a test cuts it off alone. */
  readonly memberKafka?: KafkaConfig
  /** What the topics' names begin with; also the consumer group's name. */
  readonly prefix?: string
  /** Fixed when the log is created. */
  readonly partitions: number
  /** Must never go back. */
  readonly clock: Clock
  readonly newId: () => string
  /** Hears of failures that are tried again. */
  readonly onError?: (error: unknown) => void
  readonly leaseTtlMs?: number
  readonly drainMs?: number
  readonly tombstonesMax?: number
  /** How many dead letters a partition keeps. */
  readonly lettersMax?: number
  readonly spareLetterRecords?: number
  readonly checkpointBytes?: number
  /** How records reach the brokers. A test loses answers here. */
  readonly decorate?: (send: Send) => Send
}

/** The event log on Kafka; creates its topics where they are missing. @throws WrongPartitionCount */
export const openKafkaLog = async (options: KafkaLogOptions): Promise<EventLog> => {
  const { prefix = 'wearon', partitions, clock, newId, onError = () => undefined } = options
  const patient: KafkaConfig = { logLevel: logLevel.NOTHING, ...options.kafka }
  const config: KafkaConfig = { ...patience(options.leaseTtlMs ?? LEASE_TTL_MS), ...patient }
  calmKafkajs()
  const topics = topicsOf(prefix)
  await createTopics(patient, topics, partitions, clock).catch((error: unknown) => {
    throw explained(error)
  })
  const links = watchLinks(config)
  const [wire, watch] = [new Wire(links, namesOf(topics), clock), new Wire(links, namesOf(topics), clock)]
  const outbox = openOutbox({
    config: links.config,
    topics: namesOf(topics),
    clock,
    leaderOf: (parcel) => wire.leaderHint(parcel),
    ...(options.decorate && { decorate: options.decorate }),
  })
  const news = new News({ topics, links, clock, watch, read: wire, onError })
  const journal = new Journal(topics.journal, wire)
  const readers = new Readers({ config, topics, wire, news, outbox })
  const { lettersMax = LETTERS_MAX, spareLetterRecords: spareRecords = SPARE_LETTER_RECORDS } = options
  const letters = new Letters({ topic: topics.letters, wire, outbox, clock, lettersMax, spareRecords, onError })
  const context: LogContext = {
    letters,
    topics,
    links,
    wire,
    anchors: new Anchors(links, wire, onError),
    outbox,
    news,
    journal,
    inboxBounds: inboxBounds(wire, topics.inbox),
    readers,
    clock,
    onError,
    tombstonesMax: options.tombstonesMax ?? TOMBSTONES_MAX,
    checkpointBytes: options.checkpointBytes ?? CHECKPOINT_BYTES,
  }
  const identity = await identityOf(topics, wire, outbox, newId)
  return {
    partitions,
    identity: async () => identity,
    publish: (messages) => publish(messages, { partitions, topics, outbox, clock }),
    own: (owner, signal) => own(owner, signal, { ...options, config, prefix, context, onError }),
    journal: (after, limit) => journal.after(after, limit),
    onGrowth: (listener) => news.onGrowth(listener),
    readers,
    letters,
    close: async () => {
      await news.close()
      await Promise.allSettled([outbox.close(), wire.close(), watch.close(), readers.close()])
    },
  }
}

/** Of several processes that find no identity, the first to write one makes it. */
const identityOf = async (topics: Topics, wire: Wire, outbox: Outbox, newId: () => string): Promise<string> => {
  const first = async () => {
    const [slice] = await wire.fetch([{ topic: topics.log, partition: 0, offset: 0 }], { waitMs: 0, bytes: 1_024 })
    return slice?.records[0]?.value.toString() ?? null
  }
  const known = await first()
  if (known !== null) return known
  await outbox.send([{ topic: topics.log, partition: 0, value: Buffer.from(newId()) }])
  const made = await first()
  if (made === null) throw new Error(`${topics.log} does not keep what is written to it`)
  return made
}

const publish = async (
  messages: Parameters<EventLog['publish']>[0],
  to: {
    readonly partitions: number
    readonly topics: Topics
    readonly outbox: Outbox
    readonly clock: Clock
  },
): Promise<void> => {
  const { partitions, topics, outbox, clock } = to
  const stray = messages.find(({ partition }) => !(partition >= 0 && partition < partitions))
  if (stray !== undefined) throw new RangeError(`there is no partition ${stray.partition}`)
  const parcels = messages.map(({ partition, bytes, source }) => ({
    topic: topics.inbox,
    partition,
    value: Buffer.from(bytes),
    headers: { source },
  }))
  for (const some of chunks(parcels)) {
    for (let tries = 1; ; tries++) {
      try {
        await outbox.send(some)
        break
      } catch (error) {
        // A duplicate is dropped by the session's machine.
        if (tries === PUBLISH_TRIES) throw error
        await clock.sleep(PUBLISH_PAUSE_MS)
      }
    }
  }
}

const chunks = (parcels: readonly Parcel[]): Parcel[][] => {
  const all: Parcel[][] = []
  // The first parcel opens the first chunk, also an empty one.
  let bytes = Number.POSITIVE_INFINITY
  for (const parcel of parcels) {
    const size = parcel.value?.byteLength ?? 0
    if (bytes + size > PUBLISH_BYTES) {
      all.push([])
      bytes = 0
    }
    all.at(-1)?.push(parcel)
    bytes += size
  }
  return all
}

const own = async (
  owner: Owner,
  signal: AbortSignal,
  at: KafkaLogOptions & {
    readonly config: KafkaConfig
    readonly prefix: string
    readonly context: LogContext
    readonly onError: (error: unknown) => void
  },
): Promise<void> => {
  const { config, prefix, context, partitions, clock, newId, onError } = at
  const { leaseTtlMs: ttlMs = LEASE_TTL_MS, drainMs = DRAIN_MS } = at
  const group = await joinGroup({
    config,
    // Who joins waits for the other members, for as long as a session.
    memberConfig: { ...config, requestTimeout: ttlMs * SESSION_PER_TTL, ...at.memberKafka },
    groupId: prefix,
    topic: context.topics.inbox,
    member: owner.id,
    sessionMs: ttlMs * SESSION_PER_TTL,
    clock,
    onError,
    signal,
  })
  try {
    const table = kafkaLeaseTable({ ...context, partitions, group, ttlMs, newId, onError })
    const work = async (held: HeldLease<LeaseStart>) => owner.onLease(await openKafkaLease(held, context))
    for (;;) {
      try {
        return await keepLeases({ table, member: owner.id, clock, ttlMs, drainMs, work, onError }, signal)
      } catch (error) {
        // Under another name it would have to wait until its own session is over.
        if (signal.aborted || group.hasEnded()) throw error
        onError(error)
      }
    }
  } finally {
    await group.leave()
  }
}
