import type { Ask } from '../events/command.ts'
import { encodeAsk, OUR_SOURCE } from '../events/command.ts'
import type { Fact } from '../events/fact.ts'
import { partitionOf, type SessionId } from '../events/ids.ts'
import { taskText } from '../events/task.ts'
import type { Environment } from '../machines/ports/environment.ts'
import type { EventLog } from '../machines/ports/event-log.ts'
import type { Platform } from '../machines/ports/platform.ts'

/** Sessions that one look sees to. */
const SESSIONS_MAX = 200
/** Of these, so many at a time ask the platform. */
const AT_ONCE = 20
/** What was noted shows in the tables within seconds; noted again, it changes nothing. */
const NOTED_FOR_MS = 30_000

/** How far the sessions that leave are. */
export interface HandbackCounts {
  /** Released; their tasks are owed to the producers' list. */
  readonly released: number
  /** Their tasks lie in the list, or somebody took them from there. */
  readonly handedBack: number
}

/** Sessions on their way back to the producers' list, as the archive knows them. */
export interface Handbacks {
  /** Sessions that wait and were never tried, by id from `after` on: of one tenant, or all. */
  untouched(filter: { tenant?: string; after?: SessionId; limit: number }): Promise<SessionId[]>
  /**
   * Sessions whose last archived fact is `generation.released`, the oldest release first, each with its facts; none that the
   * session rows have not followed to it: whoever takes the task writes to its row.
   */
  released(limit: number): Promise<Fact[][]>
  counts(): Promise<HandbackCounts>
}

/** The producers' list, as far as tasks are given back to it. */
export interface ProducersList {
  /** Puts the task behind those that wait, once for all calls with this key. */
  giveBack(key: string, task: Uint8Array): Promise<void>
}

/** A session that was released, with what the producer pushed. */
export interface Release {
  readonly sessionId: SessionId
  /** The `seq` of its `generation.released`. */
  readonly seq: number
  readonly task: Uint8Array
}

/** The release that a session's facts end with; null when they end otherwise. */
export const releaseOf = (facts: readonly Fact[]): Release | null => {
  const last = facts.at(-1)
  const asked = facts.findLast((fact) => fact.type === 'generation.requested')
  if (last?.type !== 'generation.released' || asked?.type !== 'generation.requested') return null
  const { sessionId, requestId, data } = asked
  const { original, createdAt = null } = data
  const words = original ?? taskText({ ...data, sessionId, requestId: requestId ?? '', createdAt })
  return { sessionId, seq: last.seq, task: Buffer.from(words) }
}

interface HandBackParts {
  readonly handbacks: Pick<Handbacks, 'released'>
  readonly platform: Pick<Platform, 'look'>
  readonly list: ProducersList
  readonly log: Pick<EventLog, 'publish' | 'partitions'>
  readonly env: Pick<Environment, 'clock' | 'meter'>
}

/**
 * Gives released tasks back to the producers' list, and notes it in the log. The fact comes first: what is in the list
 * is durably ours no more. Whatever dies in between, the next look finds the release, the list knows its key, and the note is
 * written again.
 */
export class HandBack {
  readonly #parts: HandBackParts
  /** When each release was noted, by its key. */
  readonly #noted = new Map<string, number>()

  constructor(parts: HandBackParts) {
    this.#parts = parts
  }

  /** Answers how many it saw to. Rejects when a part does not answer; what was done then is done again in vain. */
  async look(): Promise<number> {
    const { handbacks, env } = this.#parts
    const nowMs = env.clock.now()
    for (const [key, at] of this.#noted) if (nowMs - at > NOTED_FOR_MS) this.#noted.delete(key)
    const found = (await handbacks.released(SESSIONS_MAX)).flatMap((facts) => releaseOf(facts) ?? [])
    const owed = found.filter((release) => !this.#noted.has(keyOf(release)))
    for (let from = 0; from < owed.length; from += AT_ONCE) await this.#giveBack(owed.slice(from, from + AT_ONCE))
    return owed.length
  }

  async #giveBack(releases: readonly Release[]): Promise<void> {
    const { log, env } = this.#parts
    const asks = await Promise.all(releases.map((release) => this.#giveOne(release)))
    await log.publish(
      asks.map((ask) => ({
        partition: partitionOf(ask.sessionId, log.partitions),
        bytes: encodeAsk(ask),
        source: OUR_SOURCE,
      })),
    )
    for (const release of releases) this.#noted.set(keyOf(release), env.clock.now())
  }

  /** Gives one back, unless the platform does not want it any more. Answers what is to be noted. */
  async #giveOne(release: Release): Promise<Ask> {
    const { platform, list, env } = this.#parts
    const { sessionId, seq, task } = release
    const note = { command: 'generation.note_hand_back', sessionId, release: seq } as const
    const wanted = await platform.look(sessionId)
    if (wanted.wanted) await list.giveBack(keyOf(release), task)
    env.meter.count('handbacks_total', { outcome: wanted.wanted ? 'in_list' : 'withdrawn' })
    return { ...note, withdrawn: wanted.wanted ? null : { why: wanted.why, detail: wanted.detail } }
  }
}

/** The same on every try: one release is one push. */
const keyOf = ({ sessionId, seq }: Release): string => `${sessionId}/${seq}`
