import { type Command, parseMessage } from '../../events/command.ts'
import { partitionOf, type SessionId } from '../../events/ids.ts'
import type { GenerationTask } from '../../events/task.ts'
import type { InboxMessage, PartitionLease } from '../ports/event-log.ts'
import type { Known } from './step-draft.ts'
import type { WorkerContext } from './worker-context.ts'

/** What one step takes at most: bounds its time, its bytes and its commit. */
const MESSAGES_MAX = 25
const MESSAGE_BYTES_MAX = 1024 * 1024

/** A producer's clock may be this far ahead of ours when its task's age is compared with the oldest tombstone. */
const CLOCK_SKEW_MS = 600_000

const ASK_AGAIN_MS = 1_000

/** A message that nobody can read. */
export interface Poison {
  readonly message: InboxMessage
  readonly reason: string
}

/** A command for a session of this partition, with the message it came in. */
export interface Arrived {
  readonly message: InboxMessage
  readonly command: Command
}

/** What a step took from the inbox, and up to where. */
export interface Taken {
  readonly arrived: readonly Arrived[]
  readonly poison: readonly Poison[]
  /** The last message's position; null when there was none. */
  readonly position: string | null
}

const nothing: Taken = { arrived: [], poison: [], position: null }

/** Takes a partition's messages, reads them, and sends on what lies in the wrong inbox. */
export class Intake {
  readonly #lease: PartitionLease
  readonly #context: WorkerContext
  #open = true
  #mayHoldMore = true

  constructor(lease: PartitionLease, context: WorkerContext, onArrival: () => void) {
    this.#lease = lease
    this.#context = context
    lease.onArrival(() => {
      this.#mayHoldMore = true
      onArrival()
    })
  }

  get mayHoldMore(): boolean {
    return this.#open && this.#mayHoldMore
  }

  /** Takes no more: what lies in the inbox is the next owner's. */
  close(): void {
    this.#open = false
  }

  async take(): Promise<Taken> {
    if (!this.mayHoldMore) return nothing
    // Cleared before the read: an arrival while it runs must not be forgotten.
    this.#mayHoldMore = false
    const messages = await this.#lease.take({ messages: MESSAGES_MAX, bytes: MESSAGE_BYTES_MAX })
    if (messages.length > 0) this.#mayHoldMore = true
    return this.#sortOut(messages)
  }

  /** Notes how long a task lay here; its producer's clock may be ahead of ours. */
  accepted({ createdAt }: GenerationTask, nowMs: number): void {
    if (createdAt === null) return
    this.#context.env.meter.observe('intake_wait_seconds', Math.max(0, nowMs - Date.parse(createdAt)) / 1_000)
  }

  async #sortOut(messages: readonly InboxMessage[]): Promise<Taken> {
    const arrived: Arrived[] = []
    const poison: Poison[] = []
    const strayed: { partition: number; bytes: Uint8Array; source: InboxMessage['source'] }[] = []
    for (const message of messages) {
      const parsed = parseMessage(message.bytes, message.source)
      if (parsed.command === 'poison') {
        poison.push({ message, reason: parsed.reason })
        continue
      }
      const partition = partitionOf(parsed.sessionId, this.#context.log.partitions)
      if (partition === this.#lease.partition) arrived.push({ message, command: parsed })
      else strayed.push({ partition, bytes: message.bytes, source: message.source })
    }
    // Before the position moves: rather twice in the right inbox than in none.
    if (strayed.length > 0) await this.#context.log.publish(strayed)
    return { arrived, poison, position: messages.at(-1)?.position ?? null }
  }

  /**
   * Sessions that only look unknown: their tombstone may have been dropped, or their task was replayed or carries no time.
   * Answers those that the archive knows.
   */
  async askArchive(arrived: readonly Arrived[], known: ReadonlyMap<SessionId, Known>): Promise<Set<SessionId>> {
    const doubtful = arrived.filter(
      ({ command }) => known.get(command.sessionId) === undefined && this.#isDoubtful(command),
    )
    if (doubtful.length === 0) return new Set()
    return this.#untilAnswered([...new Set(doubtful.map(({ command }) => command.sessionId))])
  }

  /** The partition waits for the archive rather than giving up: giving up would abort tries that are paid for. */
  async #untilAnswered(sessions: readonly SessionId[]): Promise<Set<SessionId>> {
    const { history, env } = this.#context
    for (;;) {
      try {
        return await history.knows(sessions)
      } catch (error) {
        if (this.#lease.lost.aborted) throw error
        env.meter.count('archive_unreachable_total', { question: 'knows' })
        await env.clock.sleep(ASK_AGAIN_MS, this.#lease.lost)
      }
    }
  }

  #isDoubtful(command: Command): boolean {
    if (command.command !== 'generation.request' || command.source === 'replay') return true
    const { createdAt } = command.task
    const forgottenUntil = this.#lease.forgottenUntil()
    return createdAt === null || (forgottenUntil !== null && Date.parse(createdAt) - CLOCK_SKEW_MS <= forgottenUntil)
  }
}

/** The correlation id that a command brings along, for the facts that it comes to. */
export const requestIdOf = (command: Command): string | null => {
  if (command.command === 'generation.request') return command.task.requestId
  return 'requestId' in command ? command.requestId : null
}
