import { Fenced, type PartitionLease } from '../ports/event-log.ts'
import type { WorkerContext } from './worker-context.ts'

/** What the archive has is dropped from the log this often at most. */
const EVERY_MS = 30_000

/** Drops from a partition's log what the archive has, now and then. */
export class Trimming {
  readonly #lease: PartitionLease
  readonly #context: Pick<WorkerContext, 'env' | 'history'>
  #nextMs: number

  constructor(lease: PartitionLease, context: Pick<WorkerContext, 'env' | 'history'>) {
    this.#lease = lease
    this.#context = context
    this.#nextMs = context.env.clock.now() + EVERY_MS
  }

  /** Only behind the archive: what it has not read yet exists nowhere else. @throws Fenced */
  async at(nowMs: number): Promise<void> {
    if (nowMs < this.#nextMs) return
    this.#nextMs = nowMs + EVERY_MS
    const { env, history } = this.#context
    try {
      const archived = await history.head(this.#lease.partition)
      if (archived !== null) await this.#lease.trim(archived.number)
    } catch (error) {
      if (error instanceof Fenced) throw error
      // What is not dropped now is dropped next time.
      env.meter.count('archive_unreachable_total', { question: 'head' })
    }
  }
}
