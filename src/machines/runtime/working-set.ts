import type { SessionId } from '../../events/ids.ts'
import type { Owed } from '../session.ts'
import type { Snapshot } from '../snapshot.ts'
import { Alarm } from './alarm.ts'
import type { Slot } from './effect-pool.ts'
import type { EffectRunner } from './effect-runner.ts'
import type { WorkerContext } from './worker-context.ts'

/** Open sessions kept whole in memory; of those beyond it only id, tenant and time, and the rest is read back when needed. */
const RESIDENT_MAX = 256

/** The open sessions of a partition: what memory holds of them, and when what they owe is due. */
export class WorkingSet {
  readonly #context: WorkerContext
  readonly #effects: EffectRunner
  readonly #resident = new Map<SessionId, Snapshot>()
  /** When the wait of a deferred session or refund is over. */
  readonly #waits: Alarm
  /** When a queued session has waited too long. */
  readonly #expiries: Alarm

  /** @param ring called when something is due. */
  constructor(context: WorkerContext, effects: EffectRunner, ring: () => void) {
    this.#context = context
    this.#effects = effects
    this.#waits = new Alarm(context.env.clock, ring)
    this.#expiries = new Alarm(context.env.clock, ring)
  }

  /** The session as last committed; undefined when only the log has it. */
  resident(id: SessionId): Snapshot | undefined {
    return this.#resident.get(id)
  }

  /** Takes the sessions whose time has come, at most `limit` of each kind. */
  takeDue(nowMs: number, limit: number): SessionId[] {
    return [this.#waits, this.#expiries].flatMap((alarm) => alarm.take(nowMs, limit)) as SessionId[]
  }

  /** Sees to it that what the session owes is done when it is due. */
  schedule(session: Snapshot): void {
    const { id, state, context } = session
    const owes = this.#owed(session)
    this.#remember(session, owes)
    const { queueAgeMaxMs } = this.#context.policy
    const { requestedAt } = context
    if (state === 'queued' && requestedAt !== null) this.#expiries.set(id, Date.parse(requestedAt) + queueAgeMaxMs)
    else this.#expiries.clear(id)
    if (owes !== 'generation') this.#effects.abortGeneration(id)
    const dueAt = context.retryAt === null ? 0 : Date.parse(context.retryAt)
    if (owes === null) this.#waits.clear(id)
    else if (dueAt > this.#context.env.clock.now()) this.#waits.set(id, dueAt)
    else this.#effects.offer(session, owes)
  }

  /** Starts the try whose slot is granted and whose `generation.started` is durable. */
  start(session: Snapshot, slot: Slot): void {
    this.#remember(session, this.#owed(session))
    this.#expiries.clear(session.id)
    this.#effects.generate(session, slot)
  }

  stop(): void {
    this.#waits.stop()
    this.#expiries.stop()
  }

  #remember(session: Snapshot, owes: Owed | null): void {
    const fits = this.#resident.has(session.id) || this.#resident.size < RESIDENT_MAX
    if (owes !== null && (fits || session.state === 'processing')) this.#resident.set(session.id, session)
    else this.#resident.delete(session.id)
  }

  #owed({ state }: Snapshot): Owed | null {
    return this.#context.table.states.get(state)?.owes ?? null
  }
}
