import { notNoted } from '../../src/events/generation.ts'
import { sessionTable } from '../../src/machines/compile.ts'
import type { GenerationOutcome } from '../../src/machines/effects/outcome.ts'
import { defaultPolicy } from '../../src/machines/policy.ts'
import type { Commit, EventLog, PartitionLease } from '../../src/machines/ports/event-log.ts'
import type { History } from '../../src/machines/ports/history.ts'
import { EffectPool } from '../../src/machines/runtime/effect-pool.ts'
import { RateShare } from '../../src/machines/runtime/rate-share.ts'
import { Worker } from '../../src/machines/runtime/worker.ts'
import type { WorkerContext } from '../../src/machines/runtime/worker-context.ts'
import { eventually } from '../../test/support/eventually.ts'
import { noHistory } from '../../test/support/no-history.ts'
import { benchEnvironment } from './environment.ts'

/** How many effects run at once: more makes us no faster, and BullMQ slower. */
export const CONCURRENCY = 200
const DRAIN_MS = 1_000

export interface EngineOptions {
  readonly log: EventLog
  readonly history?: History
  readonly concurrency?: number
  /** How long each generation takes; 0 does nothing, so that only the engine's own cost is left. */
  readonly effectMs?: number
  /** What a generation does instead. */
  readonly generate?: WorkerContext['effects']['generate']
}

/** A worker whose generations always end well, and what can be seen of it. */
export interface Engine {
  /** How many partitions it works. */
  readonly running: number
  /** Resolves once it works so many partitions. */
  holds(partitions: number): Promise<void>
  /** Calls back for every commit, once it is durable. Replaces the listener before. */
  onCommit(listener: (commit: Commit) => void): void
  /** Drops every step that was committed, as if an archive had read it. */
  trim(): Promise<void>
  stop(): Promise<void>
}

export const startEngine = (options: EngineOptions): Engine => {
  const { history = noHistory, concurrency = CONCURRENCY, effectMs = 0 } = options
  const env = benchEnvironment
  const stop = new AbortController()
  const watch = watched(options.log)
  const rate = new RateShare(null, env.clock)
  const worker = new Worker(
    {
      env,
      table: sessionTable,
      policy: defaultPolicy,
      log: watch.log,
      history,
      generations: new EffectPool(concurrency, rate, env.clock),
      refunds: new EffectPool(4, new RateShare(null, env.clock), env.clock),
      drainMs: DRAIN_MS,
      effects: {
        generate: options.generate ?? endsAfter(effectMs),
        refund: async () => ({ kind: 'error', detail: 'nothing fails here' }),
      },
    },
    rate,
  )
  const ended = worker.run(() => {}, stop.signal)
  const running = () => worker.partitions.filter(({ state }) => state === 'running').length
  return {
    get running() {
      return running()
    },
    holds: (partitions) =>
      eventually(() => {
        if (running() !== partitions) throw new Error(`works ${running()} of ${partitions} partitions`)
      }),
    onCommit: watch.onCommit,
    trim: watch.trim,
    stop: () => {
      stop.abort()
      return ended
    },
  }
}

const endsAfter =
  (effectMs: number): WorkerContext['effects']['generate'] =>
  async ({ id }, signal): Promise<GenerationOutcome> => {
    if (effectMs > 0) await benchEnvironment.clock.sleep(effectMs, signal)
    return { kind: 'completed', result: resultOf(id) }
  }

/** The log, with everything that its owner commits told to a listener. */
const watched = (log: EventLog) => {
  let listener: (commit: Commit) => void = () => {}
  const held = new Map<number, { lease: PartitionLease; head: number }>()
  const watchedLease = (lease: PartitionLease): PartitionLease => {
    const at = { lease, head: lease.head?.number ?? 0 }
    held.set(lease.partition, at)
    return {
      ...lease,
      commit: async (commit) => {
        await lease.commit(commit)
        at.head = commit.step?.number ?? at.head
        listener(commit)
      },
    }
  }
  return {
    log: {
      ...log,
      own: (owner, signal) => log.own({ id: owner.id, onLease: (lease) => owner.onLease(watchedLease(lease)) }, signal),
    } satisfies EventLog,
    onCommit: (given: typeof listener) => {
      listener = given
    },
    trim: async () => {
      await Promise.all([...held.values()].map(({ lease, head }) => lease.trim(head)))
    },
  }
}

const resultOf = (id: string) => ({
  path: `generated/${id}.jpg`,
  url: 'https://x.example/y',
  urlExpiresAt: new Date().toISOString(),
  usage: { inputTokens: 0, outputTokens: 0, costUsd: 0, byKind: null },
  durationMs: 0,
  provenance: { ...notNoted, generator: 'none', model: 'none' },
  found: false,
})
