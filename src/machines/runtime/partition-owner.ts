import type { SessionId } from '../../events/ids.ts'
import { tenantOf } from '../../events/owner.ts'
import { decide } from '../decide.ts'
import type { Circumstances, Input } from '../decision.ts'
import { Fenced, type InboxMessage, type PartitionLease, type StepRef } from '../ports/event-log.ts'
import { announce } from './announce.ts'
import { committing } from './committing.ts'
import type { Slot } from './effect-pool.ts'
import { EffectRunner } from './effect-runner.ts'
import { type Arrived, Intake, requestIdOf, type Taken } from './intake.ts'
import type { IntakeRoom } from './intake-room.ts'
import { onAbort, WakeUp } from './signal.ts'
import { isTombstone, type Known, StepDraft } from './step-draft.ts'
import { Trimming } from './trimming.ts'
import type { WorkerContext } from './worker-context.ts'
import { WorkingSet } from './working-set.ts'

/** Outcomes, slots and timers that one step takes at most: bounds its time and its commit. */
const INPUTS_MAX = 300

/** Something that happened to a session of this partition and waits for the next step. */
interface Pending {
  readonly id: SessionId
  readonly input: Input
  /** The slot that was granted with it, for the try that it may start. */
  readonly slot?: Slot
}

/**
 * The only writer of one partition, for as long as it holds the lease. A step takes what is there (messages, outcomes,
 * granted slots, due timers), folds it, commits once, and only then acts on what the sessions owe.
 */
export class PartitionOwner {
  readonly #lease: PartitionLease
  readonly #context: WorkerContext
  readonly #room: IntakeRoom
  readonly #intake: Intake
  readonly #effects: EffectRunner
  readonly #sessions: WorkingSet
  readonly #trimming: Trimming
  readonly #wake = new WakeUp()
  #pending: Pending[] = []
  /** Granted and not yet used: given back even when the step that should use them fails. */
  readonly #slots = new Set<Slot>()
  #head: StepRef | null
  #draining = false

  /**
   * @param head the journal's head: the lease's own, or the one that a repair left.
   * @param room paces the intake of all partitions of the process.
   */
  constructor(lease: PartitionLease, head: StepRef | null, context: WorkerContext, room: IntakeRoom) {
    this.#lease = lease
    this.#context = context
    this.#room = room
    this.#head = head
    this.#trimming = new Trimming(lease, context)
    this.#intake = new Intake(lease, context, () => this.#wake.notify())
    this.#effects = new EffectRunner(lease, context, (id, input, slot) => this.#push(id, input, slot))
    this.#sessions = new WorkingSet(context, this.#effects, () => this.#wake.notify())
  }

  /** The journal's head, as far as this owner has moved it. */
  get head(): StepRef | null {
    return this.#head
  }

  /** Works until the lease is lost or was drained for handover; then nothing of it runs any more. @throws Fenced, or what broke. */
  async run(show: (stepping: boolean) => void): Promise<void> {
    const { lost, handover } = this.#lease
    const unlisten = [onAbort(lost, () => this.#wake.notify()), onAbort(handover, () => this.#drain())]
    try {
      for await (const session of this.#lease.open()) this.#sessions.schedule(session)
      while (!lost.aborted && !this.#isDrained()) {
        show(true)
        const more = await this.#step()
        show(false)
        if (!more && !this.#isDrained()) await this.#wake.wait()
      }
    } finally {
      for (const stop of unlisten) stop()
      this.#sessions.stop()
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
    this.#intake.close()
    this.#effects.drain(this.#context.drainMs, () => this.#wake.notify())
    this.#wake.notify()
  }

  #isDrained(): boolean {
    return this.#draining && this.#effects.running === 0 && this.#pending.length === 0
  }

  /** One step. Answers whether there may be more to do right away. */
  async #step(): Promise<boolean> {
    const taken = await this.#intake.take()
    await this.#room.run(taken, () => this.#work(taken))
    return this.#intake.mayHoldMore || this.#pending.length > 0
  }

  async #work({ arrived, poison, position }: Taken): Promise<void> {
    const pending = this.#takePending()
    const known = await this.#known([
      ...pending.map(({ id }) => id),
      ...arrived.map(({ command }) => command.sessionId),
    ])
    const archived = await this.#intake.askArchive(arrived, known)
    const nowMs = this.#context.env.clock.now()
    const draft = new StepDraft(this.#context.table, known, nowMs)
    for (const { message, reason } of poison) this.#bury(draft, message, reason)
    for (const one of arrived) this.#foldCommand(draft, one, archived, nowMs)
    pending.push(...this.#claimSlots(draft))
    for (const one of pending) this.#foldPending(draft, one, nowMs)
    await this.#commit(draft, position)
    this.#act(draft, pending)
    await this.#trimming.at(nowMs)
  }

  #takePending(): Pending[] {
    const nowMs = this.#context.env.clock.now()
    for (const id of this.#sessions.takeDue(nowMs, INPUTS_MAX)) this.#pending.push({ id, input: { kind: 'timer' } })
    const taken = this.#pending.slice(0, INPUTS_MAX)
    this.#pending = this.#pending.slice(INPUTS_MAX)
    return taken
  }

  /** A new session whose slot is free starts in the step that it comes in: one commit less before its image. */
  #claimSlots(draft: StepDraft): Pending[] {
    const claimed: Pending[] = []
    for (const { id, state, context } of this.#draining ? [] : draft.moved) {
      // Only commands were folded so far, and of these only a request leaves a session queued.
      if (state !== 'queued' || context.owner === null) continue
      const slot = this.#context.generations.claim(tenantOf(context.owner))
      // Held back or not: another tenant's need not be.
      if (slot === null) continue
      this.#slots.add(slot)
      claimed.push({ id, input: { kind: 'slot' }, slot })
    }
    return claimed
  }

  async #known(ids: readonly SessionId[]): Promise<Map<SessionId, Known>> {
    const known = new Map<SessionId, Known>()
    const missing: SessionId[] = []
    for (const id of new Set(ids)) {
      const resident = this.#sessions.resident(id)
      if (resident === undefined) missing.push(id)
      else known.set(id, resident)
    }
    if (missing.length > 0) for (const [id, found] of await this.#lease.load(missing)) known.set(id, found)
    return known
  }

  #foldCommand(draft: StepDraft, { message, command }: Arrived, archived: ReadonlySet<SessionId>, nowMs: number): void {
    const session = draft.session(command.sessionId)
    if (isTombstone(session) || (session.seq === 0 && archived.has(session.id))) {
      if (command.command === 'generation.reject') this.#bury(draft, message, 'bad task for a known session')
      else this.#ignored(command.command === 'generation.request' ? 'duplicate' : 'too_late')
      return
    }
    const decision = decide(session, { kind: 'command', command }, this.#circumstances(nowMs))
    if ('refused' in decision) return this.#bury(draft, message, decision.refused)
    if ('ignored' in decision) return this.#ignored(decision.ignored)
    const isRequest = command.command === 'generation.request'
    const requestId = requestIdOf(command) ?? session.context.requestId
    const traceparent = isRequest ? command.task.traceparent : session.context.traceparent
    if (!draft.offer(session, decision.facts, requestId, traceparent))
      this.#ignored(isRequest ? 'duplicate' : 'not_accepted')
    else if (command.command === 'generation.request') this.#intake.accepted(command.task, nowMs)
    if (command.command === 'generation.reject') this.#bury(draft, message, `bad task: ${command.issues.join('; ')}`)
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
    await committing(commit, draft.moved, () => this.#lease.commit(commit))
    if (commit.step !== null) this.#head = { number: commit.step.number, id: commit.step.id }
    for (const fact of draft.facts) announce(env, fact)
  }

  /** After the commit, and only then: start what is owed, stop what is not any more, give back slots that were not needed. */
  #act(draft: StepDraft, pending: readonly Pending[]): void {
    const slots = new Map<SessionId, Slot>()
    for (const { id, slot } of pending) {
      if (slot === undefined) continue
      slots.set(id, slot)
      this.#effects.arrived(id)
    }
    for (const session of draft.moved) {
      const slot = slots.get(session.id)
      if (slot === undefined || session.state !== 'processing') this.#sessions.schedule(session)
      else {
        slots.delete(session.id)
        this.#slots.delete(slot)
        this.#sessions.start(session, slot)
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
    if (!isTombstone(session) && !draft.hasMoved(id)) this.#sessions.schedule(session)
  }

  #bury(draft: StepDraft, message: InboxMessage, reason: string): void {
    draft.bury(this.#lease.partition, message, reason)
    this.#context.env.meter.count('dead_letters_total', { source: message.source })
  }

  #ignored(reason: string): void {
    this.#context.env.meter.count('events_ignored_total', { reason })
  }

  #circumstances(nowMs: number): Circumstances {
    return { nowMs, policy: this.#context.policy, random: this.#context.env.random() }
  }
}
