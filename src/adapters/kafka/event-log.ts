import { type KafkaConfig, logLevel } from 'kafkajs'
import type { EventLog, Owner } from '../../machines/ports/event-log.ts'
import { LETTERS_MAX } from '../shared/dead-letters.ts'
import type { HeldLease } from '../shared/kept-lease.ts'
import { keepLeases } from '../shared/lease-keeper.ts'
import { DRAIN_MS, type LogOptions, refuseUnknown, TOMBSTONES_MAX } from '../shared/log-options.ts'
import { explained } from './access.ts'
import { Anchors } from './anchors.ts'
import { calmKafkajs } from './calm-kafkajs.ts'
import { joinGroup } from './group.ts'
import { inboxBounds } from './inbox-bounds.ts'
import { Journal } from './journal.ts'
import { kafkaLeaseTable, type LeaseStart } from './lease-table.ts'
import { Letters } from './letters.ts'
import { watchLinks } from './links.ts'
import type { LogContext } from './log-context.ts'
import { News } from './news.ts'
import { type Outbox, openOutbox, type Send } from './outbox.ts'
import { openKafkaLease } from './partition-lease.ts'
import { patience } from './patience.ts'
import { publish } from './publish.ts'
import { Readers } from './readers.ts'
import { createTopics, namesOf, type Topics, topicsOf } from './topics.ts'
import { Wire } from './wire.ts'

/** With the session below, new owners go on 10 s after a process died, at the latest. */
const LEASE_TTL_MS = 4_000
/** A process is out of the group later than its leases end on its own clock; 6 s is what brokers take at least. */
const SESSION_PER_TTL = 1.5
const SPARE_LETTER_RECORDS = 1_000
const CHECKPOINT_BYTES = 4 * 1024 * 1024

export interface KafkaLogOptions extends LogOptions {
  /** Brokers, TLS and credentials as kafkajs takes them. */
  readonly kafka: KafkaConfig
  /** The same for the membership in the consumer group, when that should differ: a test cuts it off alone. */
  readonly memberKafka?: KafkaConfig
  /** What the topics' names begin with; also the consumer group's name. */
  readonly prefix?: string
  /** The topic of the dead letters is written anew once it holds this many records more than twice the letters. */
  readonly spareLetterRecords?: number
  /** A checkpoint is due once this much was written since the last one. */
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
  const { context, close } = openContext(options, { config, topics, onError })
  const { journal, news, outbox, readers, letters, wire } = context
  const identity = await identityOf(topics, wire, outbox, newId).catch(async (error: unknown) => {
    await close()
    throw error
  })
  return {
    partitions,
    identity: async () => identity,
    publish: async (messages) => {
      refuseUnknown(messages, partitions)
      await publish(messages, { topic: topics.inbox, outbox, clock })
    },
    own: (owner, signal) => own(owner, signal, { ...options, config, prefix, context, onError }),
    journal: (after, limit) => journal.after(after, limit),
    onGrowth: (listener) => news.onGrowth(listener),
    readers,
    letters,
    close,
  }
}

interface Reached {
  readonly config: KafkaConfig
  readonly topics: Topics
  readonly onError: (error: unknown) => void
}

/** What the log is made of, on connections of its own. */
const openContext = (
  options: KafkaLogOptions,
  { config, topics, onError }: Reached,
): { readonly context: LogContext; readonly close: () => Promise<void> } => {
  const { clock, lettersMax = LETTERS_MAX, spareLetterRecords: spareRecords = SPARE_LETTER_RECORDS } = options
  const names = namesOf(topics)
  const links = watchLinks(config)
  const [wire, watch] = [new Wire(links, names, clock), new Wire(links, names, clock)]
  const outbox = openOutbox({
    config: links.config,
    topics: names,
    clock,
    leaderOf: (parcel) => wire.leaderHint(parcel),
    ...(options.decorate && { decorate: options.decorate }),
  })
  const news = new News({ topics, links, clock, watch, read: wire, onError })
  const readers = new Readers({ config, topics, wire, news, outbox })
  const context: LogContext = {
    letters: new Letters({ topic: topics.letters, wire, outbox, clock, lettersMax, spareRecords, onError }),
    topics,
    links,
    wire,
    anchors: new Anchors(links, wire, onError),
    outbox,
    news,
    journal: new Journal(topics.journal, wire),
    inboxBounds: inboxBounds(wire, topics.inbox),
    readers,
    clock,
    onError,
    tombstonesMax: options.tombstonesMax ?? TOMBSTONES_MAX,
    checkpointBytes: options.checkpointBytes ?? CHECKPOINT_BYTES,
  }
  const close = async () => {
    await news.close()
    await Promise.allSettled([outbox.close(), wire.close(), watch.close(), readers.close()])
  }
  return { context, close }
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
