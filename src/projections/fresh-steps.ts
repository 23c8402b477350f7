import type { EventLog, PartitionLease, Step } from '../machines/ports/event-log.ts'

/** Some seconds of a busy log: a reader that is further behind reads the log. */
const FACTS_MAX = 8_000

/**
 * The log, with the steps at hand that this process committed and its archive has not read yet: reading them back, and parsing
 * them once more, would take a fifth of the process's time. What others commit is read as before. For one reader: what it has
 * read is dropped.
 */
export const withFreshSteps = (log: EventLog, factsMax = FACTS_MAX): EventLog => {
  const fresh = new FreshSteps(factsMax)
  return {
    ...log,
    own: (owner, signal) =>
      log.own({ id: owner.id, onLease: (lease) => fresh.keepWhile(lease, (kept) => owner.onLease(kept)) }, signal),
    journal: async (after, limit) => {
      const { steps, behind } = fresh.read(after, limit)
      return behind.size === 0 ? steps : [...steps, ...(await log.journal(behind, limit))]
    },
    onGrowth: (listener) => {
      const stops = [log.onGrowth(listener), fresh.onGrowth(listener)]
      return () => stops.forEach((stop) => stop())
    },
  }
}

/** Steps of a partition behind `from`, up to and with `to`, are here; or none of them, where both are the same. */
interface Stretch {
  readonly lease: PartitionLease
  from: number
  to: number
}

class FreshSteps {
  readonly #factsMax: number
  readonly #stretches = new Map<number, Stretch>()
  readonly #listeners = new Set<() => void>()
  /** In the order of their commits, those of all partitions. */
  #steps: Step[] = []
  #facts = 0

  constructor(factsMax: number) {
    this.#factsMax = factsMax
  }

  /** Keeps what is committed under a lease for as long as it is worked on: afterwards others may commit. */
  async keepWhile(lease: PartitionLease, work: (lease: PartitionLease) => Promise<void>): Promise<void> {
    const head = lease.head?.number ?? 0
    const stretch: Stretch = { lease, from: head, to: head }
    this.#stretches.set(lease.partition, stretch)
    const forget = () => this.#forget(lease.partition, stretch)
    lease.lost.addEventListener('abort', forget, { once: true })
    try {
      await work({
        ...lease,
        commit: async (commit) => {
          await lease.commit(commit).catch((error: unknown) => {
            // Whether it counts is not known.
            forget()
            throw error
          })
          if (commit.step !== null) this.#add(stretch, commit.step)
        },
      })
    } finally {
      forget()
    }
  }

  /** Steps that are here, about `limit` facts in all, and the partitions for which the log is to be asked. */
  read(after: ReadonlyMap<number, number>, limit: number): { steps: Step[]; behind: Map<number, number> } {
    const behind = new Map(after)
    for (const [partition, number] of after) {
      const stretch = this.#stretches.get(partition)
      if (stretch === undefined || number < stretch.from || number > stretch.to) continue
      behind.delete(partition)
      stretch.from = number
    }
    this.#drop(({ partition, number }) => number <= (this.#stretches.get(partition)?.from ?? 0))
    let facts = 0
    const steps = this.#steps.filter((step) => {
      const wanted = facts < limit && after.has(step.partition) && !behind.has(step.partition)
      if (wanted) facts += step.facts.length
      return wanted
    })
    return { steps, behind }
  }

  onGrowth(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Where there is no room, the stretch begins anew; one that was forgotten takes nothing any more. */
  #add(stretch: Stretch, step: Step): void {
    if (this.#stretches.get(step.partition) !== stretch) return
    stretch.to = step.number
    if (this.#facts + step.facts.length <= this.#factsMax) {
      this.#steps.push(step)
      this.#facts += step.facts.length
    } else {
      stretch.from = step.number
      this.#drop(({ partition }) => partition === step.partition)
    }
    for (const listener of this.#listeners) listener()
  }

  #forget(partition: number, stretch: Stretch): void {
    // The next lease's may be there already.
    if (this.#stretches.get(partition) !== stretch) return
    this.#stretches.delete(partition)
    this.#drop((step) => step.partition === partition)
  }

  #drop(isGone: (step: Step) => boolean): void {
    this.#steps = this.#steps.filter((step) => !isGone(step))
    this.#facts = this.#steps.reduce((sum, { facts }) => sum + facts.length, 0)
  }
}
