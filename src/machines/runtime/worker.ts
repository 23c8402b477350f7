import { type Backoff, backoffMs } from '../policy.ts'
import { Fenced, type PartitionLease, type StepRef } from '../ports/event-log.ts'
import { admit, type LogDamage } from './admission.ts'
import { IntakeRoom } from './intake-room.ts'
import { PartitionOwner } from './partition-owner.ts'
import type { PartitionBacklog, PartitionStatus } from './partition-status.ts'
import type { RateShare } from './rate-share.ts'
import { type Repaired, repair } from './repair.ts'
import { showWork } from './show-work.ts'
import { onAbort } from './signal.ts'
import type { WorkerContext } from './worker-context.ts'

/** A partition that keeps failing is taken up again this slowly; the others are not disturbed. */
const restart: Backoff = { firstMs: 100, maxMs: 30_000 }
/** How often a damaged partition looks whether someone repaired it. */
const RECHECK_MS = 10_000

/** Owns a share of the log's partitions and moves their sessions, until the signal aborts. */
export class Worker {
  readonly #context: WorkerContext
  readonly #rate: RateShare
  readonly #room: IntakeRoom
  readonly #held = new Map<number, PartitionStatus>()
  readonly #leases = new Map<number, PartitionLease>()
  readonly #owners = new Map<number, PartitionOwner>()
  readonly #failures = new Map<number, number>()
  readonly #repairs = new Map<number, (request: PromiseWithResolvers<Repaired | null>) => void>()

  constructor(context: WorkerContext, rate: RateShare) {
    this.#context = context
    this.#rate = rate
    this.#room = new IntakeRoom(context.env.clock)
  }

  get partitions(): readonly PartitionStatus[] {
    return [...this.#held.values()]
  }

  /** What waits in each partition that is held, a damaged one too. Rejects when the log says it of none. */
  async backlogs(): Promise<PartitionBacklog[]> {
    const leases = [...this.#leases.values()]
    // A part of the log may be away: what the rest says counts all the same.
    const answers = await Promise.allSettled(leases.map((lease) => lease.unread()))
    const refused = answers.filter((answer) => answer.status === 'rejected')
    if (refused[0] !== undefined && refused.length === answers.length) throw refused[0].reason
    return leases.map((lease, index) => {
      const answer = answers[index]
      return {
        partition: lease.partition,
        unread: answer?.status === 'fulfilled' ? answer.value : null,
        head: (this.#owners.get(lease.partition) ?? lease).head?.number ?? 0,
      }
    })
  }

  /** Resolves after the signal aborted and every partition was handed over. Rejects when the log cannot go on. */
  async run(alive: () => void, signal: AbortSignal): Promise<void> {
    const { log, env } = this.#context
    const beat = async () => {
      for (; !signal.aborted; await env.clock.sleep(RECHECK_MS, signal)) {
        alive()
        showWork(this.#context, this.partitions)
      }
    }
    await Promise.all([beat(), log.own({ id: env.newId(), onLease: (lease) => this.#onLease(lease) }, signal)])
  }

  /** Repairs a damaged partition of this process. Null when it is not here or not damaged. Rejects with what went wrong. */
  repair(partition: number): Promise<Repaired | null> {
    const start = this.#repairs.get(partition)
    const request = Promise.withResolvers<Repaired | null>()
    if (start === undefined) request.resolve(null)
    else {
      // Whoever asks next finds nothing that waits for a repair.
      this.#repairs.delete(partition)
      start(request)
    }
    return request.promise
  }

  async #onLease(lease: PartitionLease): Promise<void> {
    const { partition } = lease
    const { env } = this.#context
    this.#leases.set(partition, lease)
    this.#show(lease, 'starting', null)
    try {
      await env.clock.sleep(this.#backoffMs(partition), lease.lost)
      const head = await this.#headOnceWhole(lease)
      if (head !== undefined) await this.#work(lease, head)
      this.#failures.delete(partition)
    } catch (error) {
      // A lease that was lost is no fault of the partition's: whoever has the next one goes on at once.
      if (!lease.lost.aborted) this.#failures.set(partition, (this.#failures.get(partition) ?? 0) + 1)
      const name = error instanceof Error ? error.name : 'not an Error'
      env.meter.count('partition_failures_total', { error: name })
      env.logger[error instanceof Fenced ? 'warn' : 'error'](
        { partition, error },
        'partition given up; it will be taken again',
      )
    } finally {
      this.#held.delete(partition)
      this.#leases.delete(partition)
      this.#owners.delete(partition)
      this.#share()
      // A lease that cannot be released runs out by itself.
      await lease.release().catch(() => {})
    }
  }

  async #work(lease: PartitionLease, head: StepRef | null): Promise<void> {
    this.#show(lease, 'running', null)
    const owner = new PartitionOwner(lease, head, this.#context, this.#room)
    this.#owners.set(lease.partition, owner)
    await owner.run((stepping) => this.#show(lease, 'running', null, stepping))
  }

  /** The journal's head, once its log is what the archive knows: an operator repairs it. Undefined when the lease went first. */
  async #headOnceWhole(lease: PartitionLease): Promise<StepRef | null | undefined> {
    const { env } = this.#context
    for (;;) {
      if (lease.lost.aborted || lease.handover.aborted) return undefined
      const { damage, archived } = await admit(lease, this.#context)
      if (damage === null) return lease.head
      this.#show(lease, 'damaged', damage)
      env.meter.count('log_damage_total', { damage })
      env.logger.error(
        { partition: lease.partition, damage },
        'partition stopped: its log is not what the archive knows; repair it',
      )
      const request = await this.#repairRequest(lease)
      if (request === null) continue
      const repairing = repair(lease, archived, this.#context)
      repairing.then(request.resolve, request.reject)
      const repaired = await repairing
      env.logger.warn({ ...repaired }, 'partition repaired from the archive')
      return repaired.head
    }
  }

  /** Resolves when an operator asks for the repair, or with null after a while or when the partition goes. */
  #repairRequest(lease: PartitionLease): Promise<PromiseWithResolvers<Repaired | null> | null> {
    const waited = new AbortController()
    const asked = Promise.withResolvers<PromiseWithResolvers<Repaired | null> | null>()
    const goOn = () => {
      this.#repairs.delete(lease.partition)
      asked.resolve(null)
    }
    this.#repairs.set(lease.partition, asked.resolve)
    const unlisten = [onAbort(lease.lost, goOn), onAbort(lease.handover, goOn)]
    void this.#context.env.clock.sleep(RECHECK_MS, waited.signal).then(goOn)
    return asked.promise.finally(() => {
      waited.abort()
      for (const stop of unlisten) stop()
    })
  }

  #show(lease: PartitionLease, state: PartitionStatus['state'], damage: LogDamage | null, stepping = false): void {
    const steppingSince = stepping ? this.#context.env.clock.now() : null
    const before = this.#held.get(lease.partition)
    this.#held.set(lease.partition, { partition: lease.partition, state, damage, steppingSince })
    if (before?.state !== state) this.#share()
  }

  /** What is held has changed: the share of the rate with it. */
  #share(): void {
    this.#rate.setShare(this.#held.size / this.#context.log.partitions)
    showWork(this.#context, this.partitions)
  }

  #backoffMs(partition: number): number {
    const failures = this.#failures.get(partition) ?? 0
    return failures === 0 ? 0 : backoffMs(restart, failures - 1, this.#context.env.random())
  }
}
