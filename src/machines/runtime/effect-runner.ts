import type { SessionId } from '../../events/ids.ts'
import type { Settlement } from '../../events/refund.ts'
import type { Input } from '../decision.ts'
import type { GenerationOutcome } from '../effects/outcome.ts'
import type { PartitionLease } from '../ports/event-log.ts'
import type { Owed } from '../session.ts'
import type { Snapshot } from '../snapshot.ts'
import { Alarm } from './alarm.ts'
import { type BoundedEffect, type Ended, startBounded } from './bounded-effect.ts'
import type { EffectPool, Slot } from './effect-pool.ts'
import { type Grant, Offer } from './offer.ts'
import { generationOutcome, refundOutcome } from './outcome-of.ts'
import { onAbort } from './signal.ts'
import type { WorkerContext } from './worker-context.ts'

type Report = (id: SessionId, input: Input, slot?: Slot) => void

interface Running {
  readonly owes: Owed
  readonly stop: BoundedEffect<unknown>['stop']
  /** Resolves when its end is reported and its slot is free. */
  readonly ended: Promise<void>
}

/** Runs the effects of one partition in the process's pools, and reports what became of them to the partition's owner. */
export class EffectRunner {
  readonly #lease: PartitionLease
  readonly #context: WorkerContext
  readonly #report: Report
  readonly #running = new Map<SessionId, Running>()
  readonly #offered = new Map<SessionId, EffectPool>()
  /** Whose slot for a try is on its way through the owner's next step. */
  readonly #granted = new Set<SessionId>()
  /** Of offered refunds, the few that are to be settled by hand instead of being paid. */
  readonly #settlements = new Map<SessionId, Settlement>()
  /** When each running effect passes its time limit. */
  readonly #deadlines: Alarm
  readonly #stopped = new AbortController()
  #open = true
  #onIdle: () => void = () => {}

  constructor(lease: PartitionLease, context: WorkerContext, report: Report) {
    this.#lease = lease
    this.#context = context
    this.#report = report
    this.#deadlines = new Alarm(context.env.clock, () => this.#stopOverdue())
    onAbort(lease.lost, () => this.#abortAll())
  }

  get running(): number {
    return this.#running.size
  }

  /**
   * Puts what the session owes in line for a slot, in the place of an earlier offer. One whose effect runs, or is about to, is left
   * alone.
   */
  offer(session: Snapshot, owes: Owed): void {
    const { id } = session
    if (!this.#open || this.#running.has(id) || this.#granted.has(id)) return
    const pool = owes === 'generation' ? this.#context.generations : this.#context.refunds
    this.#offered.set(id, pool)
    if (session.context.settlement) this.#settlements.set(id, session.context.settlement)
    pool.offer(new Offer(session, owes, this.#grant))
  }

  readonly #grant: Grant = (id, owes, slot, traceparent) => {
    this.#offered.delete(id)
    if (!this.#open) slot.release()
    else if (owes === 'refund') this.#refund(id, slot, traceparent)
    // A try begins with a fact: the owner commits it first, and comes back with `generate`.
    else {
      this.#granted.add(id)
      this.#report(id, { kind: 'slot' }, slot)
    }
  }

  /** The step that the session's slot came to is committed: from now on the session may be offered again. */
  arrived(id: SessionId): void {
    this.#granted.delete(id)
  }

  /** Runs a try whose `generation.started` is durable. */
  generate(session: Snapshot, slot: Slot): void {
    const { effects, policy } = this.#context
    const { attempt, requestedAt } = session.context
    if (attempt === 1 && requestedAt !== null) this.#firstTry(requestedAt)
    const report = (ended: Ended<GenerationOutcome>) => {
      const outcome = generationOutcome(ended)
      this.#report(session.id, outcome === null ? lookAgain : { kind: 'generated', attempt, outcome })
      // The machine drops it, since a later try counts by then; so it is at least counted.
      if (ended.how === 'timeout') void ended.late.then(report)
    }
    this.#run(session.id, 'generation', slot, policy.tryTimeoutMs, {
      effect: (signal) => effects.generate(session, signal),
      report,
    })
  }

  #firstTry(requestedAt: string): void {
    const { clock, meter } = this.#context.env
    meter.observe('queue_wait_seconds', (clock.now() - Date.parse(requestedAt)) / 1_000)
  }

  /** Stops the session's try, if one runs or waits: nobody wants its outcome any more. */
  abortGeneration(id: SessionId): void {
    const running = this.#running.get(id)
    if (running?.owes === 'generation') running.stop('aborted')
    if (this.#offered.get(id) === this.#context.generations) this.#retract(id)
  }

  /** Nothing new starts; what runs gets `graceMs` and is then aborted. `onIdle` is called whenever an effect has ended. */
  drain(graceMs: number, onIdle: () => void): void {
    this.#open = false
    this.#onIdle = onIdle
    for (const id of this.#offered.keys()) this.#retract(id)
    // A timer that outlived its partition would keep the process from ending.
    void this.#context.env.clock.sleep(graceMs, this.#stopped.signal).then(() => this.#abortAll())
  }

  /** Aborts everything and resolves when nothing runs any more. */
  async stop(): Promise<void> {
    this.#open = false
    for (const id of this.#offered.keys()) this.#retract(id)
    this.#abortAll()
    this.#stopped.abort()
    this.#deadlines.stop()
    await Promise.all([...this.#running.values()].map(({ ended }) => ended))
  }

  #refund(id: SessionId, slot: Slot, traceparent: string | undefined): void {
    const { effects, policy } = this.#context
    const fence = { partition: this.#lease.partition, epoch: this.#lease.epoch.number }
    const settlement = this.#settlements.get(id) ?? null
    this.#settlements.delete(id)
    this.#run(id, 'refund', slot, policy.refund.timeoutMs, {
      effect: (signal) => effects.refund(id, settlement, fence, signal, traceparent),
      report: (ended) => {
        const outcome = refundOutcome(ended)
        this.#report(id, outcome === null ? lookAgain : { kind: 'refunded', outcome })
      },
    })
  }

  #run<Value>(
    id: SessionId,
    owes: Owed,
    slot: Slot,
    timeoutMs: number,
    work: { effect(signal: AbortSignal): Promise<Value>; report(ended: Ended<Value>): void },
  ): void {
    const { clock, meter } = this.#context.env
    const startedAt = clock.now()
    const effect = startBounded((signal) => work.effect(signal), clock)
    const ended = effect.ended.then((end) => {
      this.#running.delete(id)
      this.#deadlines.clear(id)
      meter.observe('effect_seconds', (clock.now() - startedAt) / 1000, { effect: owes, how: end.how })
      work.report(end)
      slot.release()
      this.#onIdle()
    })
    this.#running.set(id, { owes, ended, stop: effect.stop })
    this.#deadlines.set(id, startedAt + timeoutMs)
    if (this.#lease.lost.aborted) effect.stop('aborted')
  }

  #stopOverdue(): void {
    for (const id of this.#deadlines.take(this.#context.env.clock.now(), this.#running.size))
      this.#running.get(id as SessionId)?.stop('timeout')
  }

  #abortAll(): void {
    for (const effect of this.#running.values()) effect.stop('aborted')
  }

  #retract(id: SessionId): void {
    this.#offered.get(id)?.retract(id)
    this.#offered.delete(id)
    this.#settlements.delete(id)
  }
}

/** While an aborted effect ran on, what its session owes since could not be offered: the owner must look at it again. */
const lookAgain: Input = { kind: 'timer' }
