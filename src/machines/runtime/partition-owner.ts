import { type Command, parseMessage } from '../../events/command.ts'
import { partitionOf, type SessionId } from '../../events/ids.ts'
import { isoTime } from '../../events/text.ts'
import { type Circumstances, decide, type Input } from '../decide.ts'
import { Fenced, type InboxMessage, type PartitionLease, type StepRef } from '../ports/event-log.ts'
import type { Snapshot } from '../snapshot.ts'
import { Alarm } from './alarm.ts'
import type { Slot } from './effect-pool.ts'
import { EffectRunner } from './effect-runner.ts'
import { onAbort, WakeUp } from './signal.ts'
import { isTombstone, type Known, StepDraft } from './step-draft.ts'
import type { WorkerContext } from './worker-context.ts'

/** What one step takes at most: bounds its time, its bytes and its commit. */
const INPUTS_MAX = 300
const MESSAGES_MAX = 300
const MESSAGE_BYTES_PER_STEP = 1024 * 1024

/** Open sessions kept whole in memory; of those beyond it only id, tenant and time, and the rest is read back when needed. */
const RESIDENT_MAX = 256

/** What the archive has behind it is dropped from the log this often at most. */
const TRIM_MS = 30_000

/** A producer's clock may be this far ahead of ours when its task's age is compared with the oldest tombstone. */
const CLOCK_SKEW_MS = 600_000

/** Something that happened to a session of this partition and waits for the next step. */
interface Pending {
  readonly id: SessionId
  readonly input: Input
  /** The slot that was granted with it, for the try that it may start. */
  readonly slot?: Slot
}

interface Poison {
  readonly message: InboxMessage
  readonly reason: string
}

interface Arrived {
  readonly message: InboxMessage
  readonly command: Command
}

/**
 * The only writer of one partition, for as long as it holds the lease. A step takes what is there (messages, outcomes,
 * granted slots, due timers), folds it, commits once, and only then acts on what the sessions owe.
 */
export class PartitionOwner {
  readonly #lease: PartitionLease
  readonly #context: WorkerContext
  readonly #effects: EffectRunner
  /** When the wait of a deferred session or refund is over. */
  readonly #waits: Alarm
  /** When a queued session has waited too long. */
  readonly #expiries: Alarm
  readonly #wake = new WakeUp()
  readonly #resident = new Map<SessionId, Snapshot>()
  #pending: Pending[] = []
  /** Granted and not yet used: given back even when the step that should use them fails. */
  readonly #slots = new Set<Slot>()
  #head: StepRef | null
  #hasMessages = true
  #draining = false
  #trimAt: number

  constructor(lease: PartitionLease, context: WorkerContext) {
    this.#lease = lease
    this.#context = context
    this.#head = lease.head
    this.#trimAt = context.env.clock.now() + TRIM_MS
    this.#waits = new Alarm(context.env.clock, () => this.#wake.notify())
    this.#expiries = new Alarm(context.env.clock, () => this.#wake.notify())
    this.#effects = new EffectRunner(lease, context, (id, input, slot) => this.#push(id, input, slot))
  }

  /** Works until the lease is lost or was drained for handover; then nothing of it runs any more. @throws Fenced, or what broke. */
  async run(alive: () => void): Promise<void> {
    const { lost, handover } = this.#lease
    const unlisten = [onAbort(lost, () => this.#wake.notify()), onAbort(handover, () => this.#drain())]
    this.#lease.onArrival(() => {
      this.#hasMessages = true
      this.#wake.notify()
    })
    try {
      for await (const session of this.#lease.open()) this.#schedule(session)
      while (!lost.aborted && !this.#isDrained()) {
        alive()
        const more = await this.#step()
        if (!more && !this.#isDrained()) await this.#wake.wait()
      }
    } finally {
      for (const stop of unlisten) stop()
      this.#waits.stop()
      this.#expiries.stop()
      await this.#effects.stop()
      for (const slot of this.#slots) slot.release()
    }
  }

  #push(id: SessionId, input: Input, slot?: Slot): void {
    if (slot !== undefined) this.#slots.add(slot)
    this.#pending.push(slot === undefined ? { id, input } : { id, input, slot })
    this.#wake.notify()
  }

  /** No new message and no new effect from now on; what runs gets the grace period. */
  #drain(): void {
    this.#draining = true
    this.#effects.drain(this.#context.drainMs, () => this.#wake.notify())
    this.#wake.notify()
  }

  #isDrained(): boolean {
    return this.#draining && this.#effects.running === 0 && this.#pending.length === 0
  }

  /** One step. Answers whether there may be more to do right away. */
  async #step(): Promise<boolean> {
    const messages = await this.#takeMessages()
    const pending = this.#takePending()
    const { arrived, poison } = await this.#sortOut(messages)
    const known = await this.#known([
      ...pending.map(({ id }) => id),
      ...arrived.map(({ command }) => command.sessionId),
    ])
    const archived = await this.#askArchive(arrived, known)
    const nowMs = this.#context.env.clock.now()
    const draft = new StepDraft(this.#context.table, known, nowMs)
    for (const { message, reason } of poison) this.#bury(draft, message, reason, nowMs)
    for (const one of arrived) this.#foldCommand(draft, one, archived, nowMs)
    for (const one of pending) this.#foldPending(draft, one, nowMs)
    await this.#commit(draft, messages.at(-1)?.position ?? null)
    this.#act(draft, pending)
    await this.#trim(nowMs)
    return this.#hasMessages || this.#pending.length > 0
  }

  async #takeMessages(): Promise<InboxMessage[]> {
    const wanted = this.#hasMessages && !this.#draining
    // Cleared before the read: an arrival while it runs must not be forgotten.
    this.#hasMessages = false
    if (!wanted) return []
    const messages = await this.#lease.take({ messages: MESSAGES_MAX, bytes: MESSAGE_BYTES_PER_STEP })
    if (messages.length > 0) this.#hasMessages = true
    return messages
  }

  #takePending(): Pending[] {
    const nowMs = this.#context.env.clock.now()
    for (const alarm of [this.#waits, this.#expiries]) {
      for (const id of alarm.take(nowMs, INPUTS_MAX))
        this.#pending.push({ id: id as SessionId, input: { kind: 'timer' } })
    }
    const taken = this.#pending.slice(0, INPUTS_MAX)
    this.#pending = this.#pending.slice(INPUTS_MAX)
    return taken
  }

  /** Reads the messages: what lies in the wrong inbox is forwarded before the position moves, what nobody can read is poison. */
  async #sortOut(messages: readonly InboxMessage[]): Promise<{ arrived: Arrived[]; poison: Poison[] }> {
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
    if (strayed.length > 0) await this.#context.log.publish(strayed)
    return { arrived, poison }
  }

  async #known(ids: readonly SessionId[]): Promise<Map<SessionId, Known>> {
    const known = new Map<SessionId, Known>()
    const missing: SessionId[] = []
    for (const id of new Set(ids)) {
      const resident = this.#resident.get(id)
      if (resident === undefined) missing.push(id)
      else known.set(id, resident)
    }
    if (missing.length > 0) for (const [id, found] of await this.#lease.load(missing)) known.set(id, found)
    return known
  }

  /**
   * Sessions that only look unknown: their tombstone may have been dropped, or their task was replayed or carries no time.
   * Answers those that the archive knows.
   */
  async #askArchive(arrived: readonly Arrived[], known: ReadonlyMap<SessionId, Known>): Promise<Set<SessionId>> {
    const forgottenUntil = this.#lease.forgottenUntil()
    const doubtful = arrived.filter(({ command }) => {
      if (known.get(command.sessionId) !== undefined) return false
      if (command.command !== 'generation.request' || command.source === 'replay') return true
      const { createdAt } = command.task
      return createdAt === null || (forgottenUntil !== null && Date.parse(createdAt) - CLOCK_SKEW_MS <= forgottenUntil)
    })
    if (doubtful.length === 0) return new Set()
    return this.#context.history.knows([...new Set(doubtful.map(({ command }) => command.sessionId))])
  }

  #foldCommand(draft: StepDraft, { message, command }: Arrived, archived: ReadonlySet<SessionId>, nowMs: number): void {
    const session = draft.session(command.sessionId)
    if (isTombstone(session) || (session.seq === 0 && archived.has(session.id))) {
      if (command.command === 'generation.reject') this.#bury(draft, message, 'bad task for a known session', nowMs)
      else this.#ignored(command.command === 'generation.request' ? 'duplicate' : 'too_late')
      return
    }
    const decision = decide(session, { kind: 'command', command }, this.#circumstances(nowMs))
    if ('refused' in decision) return this.#bury(draft, message, decision.refused, nowMs)
    if ('ignored' in decision) return this.#ignored(decision.ignored)
    const isRequest = command.command === 'generation.request'
    const requestId = isRequest ? command.task.requestId : session.context.requestId
    if (!draft.offer(session, decision.facts, requestId)) this.#ignored(isRequest ? 'duplicate' : 'not_accepted')
    if (command.command === 'generation.reject')
      this.#bury(draft, message, `bad task: ${command.issues.join('; ')}`, nowMs)
  }

  #foldPending(draft: StepDraft, { id, input }: Pending, nowMs: number): void {
    const session = draft.session(id)
    // No new try starts while the partition is on its way to another process.
    if (this.#draining && input.kind === 'slot') return
    if (isTombstone(session)) return this.#ignored('too_late')
    const decision = decide(session, input, this.#circumstances(nowMs))
    if ('refused' in decision) return this.#ignored('refused')
    // The ledger refuses only what comes under an earlier epoch: someone was admitted after us.
    if ('ignored' in decision && decision.ignored === 'fenced_refund')
      throw new Fenced('the ledger knows a later owner')
    if ('ignored' in decision) return this.#ignored(decision.ignored)
    if (!draft.offer(session, decision.facts, session.context.requestId)) this.#ignored('not_accepted')
  }

  async #commit(draft: StepDraft, inbox: string | null): Promise<void> {
    const { env } = this.#context
    const { partition, epoch } = this.#lease
    const commit = draft.commit({ partition, epoch: epoch.number, head: this.#head, id: env.newId(), inbox })
    if (commit === null) return
    await this.#lease.commit(commit)
    if (commit.step !== null) this.#head = { number: commit.step.number, id: commit.step.id }
    for (const { type } of draft.facts) env.meter.count('facts_total', { type })
  }

  /** Only behind the archive: what it has not read yet exists nowhere else. */
  async #trim(nowMs: number): Promise<void> {
    if (nowMs < this.#trimAt) return
    this.#trimAt = nowMs + TRIM_MS
    const archived = await this.#context.history.head(this.#lease.partition)
    if (archived !== null) await this.#lease.trim(archived.number)
  }

  /** After the commit, and only then: start what is owed, stop what is not any more, give back slots that were not needed. */
  #act(draft: StepDraft, pending: readonly Pending[]): void {
    const slots = new Map<SessionId, Slot>()
    for (const { id, slot } of pending) if (slot !== undefined) slots.set(id, slot)
    for (const session of draft.moved) {
      const slot = slots.get(session.id)
      if (slot === undefined || session.state !== 'processing') this.#schedule(session)
      else {
        slots.delete(session.id)
        this.#slots.delete(slot)
        this.#remember(session)
        this.#expiries.clear(session.id)
        this.#effects.generate(session, slot)
      }
    }
    for (const slot of slots.values()) {
      this.#slots.delete(slot)
      slot.release()
    }
    for (const { id } of pending) this.#scheduleUnlessMoved(draft, id)
  }

  /** What brought no fact (a wait that is over, an outcome that came too late) leaves open what the session still owes. */
  #scheduleUnlessMoved(draft: StepDraft, id: SessionId): void {
    const session = draft.session(id)
    if (!isTombstone(session) && !draft.hasMoved(id)) this.#schedule(session)
  }

  /** Sees to it that what the session owes is done when it is due. */
  #schedule(session: Snapshot): void {
    const { id, state, context } = session
    const owes = this.#context.table.states.get(state)?.owes ?? null
    this.#remember(session)
    const { queueAgeMaxMs } = this.#context.policy
    if (state === 'queued') this.#expiries.set(id, Date.parse(context.requestedAt ?? '') + queueAgeMaxMs)
    else this.#expiries.clear(id)
    if (owes !== 'generation') this.#effects.abortGeneration(id)
    const dueAt = context.retryAt === null ? 0 : Date.parse(context.retryAt)
    if (owes === null) this.#waits.clear(id)
    else if (dueAt > this.#context.env.clock.now()) this.#waits.set(id, dueAt)
    else this.#effects.offer(session, owes)
  }

  #remember(session: Snapshot): void {
    const owes = this.#context.table.states.get(session.state)?.owes ?? null
    const fits = this.#resident.has(session.id) || this.#resident.size < RESIDENT_MAX
    if (owes !== null && (fits || session.state === 'processing')) this.#resident.set(session.id, session)
    else this.#resident.delete(session.id)
  }

  #bury(draft: StepDraft, { position, source, bytes }: InboxMessage, reason: string, nowMs: number): void {
    const { partition } = this.#lease
    draft.bury({ id: `${partition}-${position}`, partition, reason, source, bytes, at: isoTime(nowMs) })
    this.#context.env.meter.count('dead_letters_total', { source })
  }

  #ignored(reason: string): void {
    this.#context.env.meter.count('events_ignored_total', { reason })
  }

  #circumstances(nowMs: number): Circumstances {
    return { nowMs, policy: this.#context.policy, random: this.#context.env.random() }
  }
}
