/** One way to do the job that is measured. */
export interface Contender {
  readonly name: string
  /** Submits the sessions and works them to their end; answers how long it took until the last end was durable, in ms. */
  throughput(url: string, sessions: number): Promise<number>
  /** Submits a session every so often; answers how long each took from its submission to its durable end, in ms. */
  latencies(url: string, sessions: number, everyMs: number): Promise<number[]>
}

/** How many effects run at once (more makes us no faster, and BullMQ slower), and how many tasks are submitted in one call. */
export const CONCURRENCY = 200
export const BATCH = 500

export const quantile = (values: readonly number[], share: number): number => {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN
}
