import {
  type CommitChecks,
  commitChecks,
  type MemoryLogState,
  memoryLog,
  memoryLogState,
} from '../adapters/memory/event-log.ts'
import { memoryObjects } from '../adapters/memory/objects.ts'
import type { RefundMemory } from '../adapters/memory/platform.ts'
import { openMemoryStore } from '../adapters/memory/store.ts'
import { emptyStoreState, type StoreState } from '../adapters/memory/store-state.ts'
import type { SessionId } from '../events/ids.ts'
import { type SessionTable, sessionTable } from '../machines/compile.ts'
import { generate } from '../machines/effects/generate.ts'
import { refund } from '../machines/effects/refund.ts'
import { defaultPolicy, type Policy } from '../machines/policy.ts'
import type { Environment } from '../machines/ports/environment.ts'
import type { EventLog, PartitionLease } from '../machines/ports/event-log.ts'
import type { Pauses } from '../machines/ports/pauses.ts'
import { EffectPool } from '../machines/runtime/effect-pool.ts'
import { RateShare } from '../machines/runtime/rate-share.ts'
import { supervise } from '../machines/runtime/supervisor.ts'
import { Worker } from '../machines/runtime/worker.ts'
import { archiveJournals } from '../projections/archive.ts'
import type { Evidence, Try } from '../projections/evidence.ts'
import { withFreshSteps } from '../projections/fresh-steps.ts'
import type { ProducersList } from '../projections/hand-back.ts'
import { project, retrySetAside } from '../projections/project.ts'
import { refunds } from '../projections/refunds.ts'
import { sessions } from '../projections/sessions.ts'
import { overNetwork } from './network.ts'
import { type FaultRates, Process } from './process.ts'
import { SimulatedProvider } from './provider.ts'
import type { PlannedSession } from './scenario.ts'
import type { Scheduler } from './scheduler.ts'
import { type SharedStore, storeWayOf } from './store-way.ts'
import { runWayBack, SimulatedList } from './way-back.ts'

/** Faults that a test plants in the system itself, to see that the invariants catch them. */
export interface Plants {
  readonly checks?: CommitChecks
  readonly table?: SessionTable
  readonly refundMemory?: (state: StoreState) => RefundMemory
  readonly lease?: (lease: PartitionLease, log: MemoryLogState) => PartitionLease
  readonly pauses?: (pauses: Pauses) => Pauses
  readonly list?: (list: SimulatedList) => ProducersList
}

export const PARTITIONS = 4
/** Few, so that old sessions are forgotten and the archive must be asked. */
const TOMBSTONES_MAX = 3
const CONCURRENCY = 4
const DRAIN_MS = 5_000
const RESTART_MS = { min: 100, max: 20_000 }

/** Everyone is less patient than in production, so that a run sees every timer ring. */
const policy: Policy = {
  ...defaultPolicy,
  tryTimeoutMs: 60_000,
  queueAgeMaxMs: 600_000,
  refund: { ...defaultPolicy.refund, escalateAfterMs: 120_000, escalatedEveryMs: 60_000 },
}

/** The simulated system: what is durable, and the processes that come and go around it. */
export class World implements SharedStore {
  readonly scheduler: Scheduler
  readonly log: MemoryLogState
  readonly store: StoreState = emptyStoreState()
  readonly objects: ReturnType<typeof memoryObjects>
  /** The producers' list, as far as tasks are given back to it. */
  readonly list = new SimulatedList()
  /** Whether operators pause and hand back in this run; where they do not, nobody looks for it. */
  readonly hasWayBack: boolean
  tries: Try[] = []
  readonly commits: Evidence['commits'][number][] = []
  /** Calm: nothing more breaks by chance. */
  calm = false
  storeDownUntil = 0
  ledgerRefusesUntil = 0
  readonly #rates: FaultRates
  readonly #provider: SimulatedProvider
  readonly #plants: Plants
  readonly #processes = new Map<Process, { readonly worker: Worker; readonly stop: AbortController }>()
  #lives = 0

  constructor(
    scheduler: Scheduler,
    plans: ReadonlyMap<SessionId, PlannedSession>,
    { rates, plants, hasWayBack }: { rates: FaultRates; plants: Plants; hasWayBack: boolean },
  ) {
    this.scheduler = scheduler
    this.hasWayBack = hasWayBack
    this.#rates = rates
    this.#plants = plants
    this.log = memoryLogState(PARTITIONS, 'log-1')
    this.objects = memoryObjects(() => scheduler.now())
    this.#provider = new SimulatedProvider(plans)
  }

  /** A process with every role; when it dies, another takes its place after a while. */
  startProcess(name: string): void {
    const process = this.#newProcess(name)
    const env = process.environment(silentMeter, silentLogger)
    const stop = new AbortController()
    const store = this.#storeOf(process)
    const { archive, tables } = store
    const log = withFreshSteps(this.#logOf(process, env))
    const { worker, generations } = this.#worker(process, env, log)
    this.#processes.set(process, { worker, stop })
    if (this.hasWayBack) {
      const { pauses = same, list = same } = this.#plants
      const given = overNetwork(list(this.list), (operation) => process.call(operation))
      runWayBack({ ...store, pauses: pauses(store.pauses), list: given, log, env }, generations, stop.signal)
    }
    const options = { environment: env, signal: stop.signal }
    supervise('worker', (alive, signal) => worker.run(alive, signal), env, stop.signal)
    supervise('archive', () => archiveJournals(log, archive, options), env, stop.signal)
    supervise('sessions', () => project(sessions, { archive, tables }, options), env, stop.signal)
    supervise('refunds', () => project(refunds, { archive, tables }, options), env, stop.signal)
    supervise('set-aside', () => retrySetAside(['sessions', 'refunds'], tables, options), env, stop.signal)
  }

  /** A process that only calls, as a producer or a front end does. It does not die: it would have to be told again. */
  caller(name: string): { process: Process; log: EventLog } {
    const process = this.#newProcess(name, { crash: 0 })
    return { process, log: this.#logOf(process, process.environment(silentMeter, silentLogger)) }
  }

  /** One process is asked to stop, as in a rolling restart, and comes back. */
  restartOne(): void {
    const all = [...this.#processes]
    if (all.length === 0) return
    const [process, { stop }] = this.scheduler.pick(all)
    stop.abort('restart')
    this.scheduler.after(2 * DRAIN_MS, () => process.die())
  }

  /** All die at once, and come back as after any death. */
  killAll(): void {
    for (const process of this.#processes.keys()) process.die()
  }

  /** An operator repairs what is damaged. */
  repairAll(): void {
    for (const { worker } of this.#processes.values()) {
      for (const { partition, state } of worker.partitions) {
        if (state === 'damaged') worker.repair(partition).catch(() => {})
      }
    }
  }

  now(): number {
    return this.scheduler.now()
  }

  storeFor(clock: Environment['clock']) {
    return openMemoryStore(this.store, { clock, rowsOwner: 'platform' })
  }

  #newProcess(name: string, spared: Partial<FaultRates> = {}): Process {
    const rates = () => (this.calm ? noFaults : { ...this.#rates, ...spared })
    const process: Process = new Process(`${name}#${++this.#lives}`, this.scheduler, rates, () => {
      const known = this.#processes.delete(process)
      const waitMs = this.scheduler.between(RESTART_MS.min, RESTART_MS.max)
      if (known) this.scheduler.after(waitMs, () => this.startProcess(name))
    })
    return process
  }

  #worker(process: Process, env: Environment, log: EventLog): { worker: Worker; generations: EffectPool } {
    const { platform, history } = this.#storeOf(process)
    const generator = this.#provider.of(process, policy.tryTimeoutMs + 30_000)
    const rate = new RateShare(generator.requestsPerMinute, env.clock)
    const run = generate({
      clock: env.clock,
      platform,
      pictures: { fetch: async () => [] },
      generator,
      objects: overNetwork(this.objects, (operation) => process.call(operation)),
    })
    const generations = new EffectPool(CONCURRENCY, rate, env.clock)
    const context = {
      env,
      table: this.#plants.table ?? sessionTable,
      policy,
      log,
      history,
      effects: {
        generate: (session: Parameters<typeof run>[0], signal: AbortSignal) =>
          this.#witness(process, session, signal, run),
        refund: refund(platform),
      },
      generations,
      refunds: new EffectPool(CONCURRENCY, new RateShare(null, env.clock), env.clock),
      drainMs: DRAIN_MS,
    }
    return { worker: new Worker(context, rate), generations }
  }

  /** Notes each try for the invariants: it lasts until it settles, or until it was told to stop. */
  async #witness(
    process: Process,
    session: Parameters<ReturnType<typeof generate>>[0],
    signal: AbortSignal,
    run: ReturnType<typeof generate>,
  ) {
    const one = { sessionId: session.id, attempt: session.context.attempt, owner: process.name, startedAt: this.now() }
    const noted: { -readonly [Key in keyof Try]: Try[Key] } = { ...one, endedAt: null }
    this.tries.push(noted)
    const end = () => {
      noted.endedAt ??= this.now()
    }
    signal.addEventListener('abort', end, { once: true })
    return run(session, signal).finally(end)
  }

  #storeOf(process: Process) {
    return storeWayOf(process, this, this.#plants.refundMemory?.(this.store))
  }

  #logOf(process: Process, env: Environment): EventLog {
    const { checks = commitChecks, lease: plant = (lease: PartitionLease) => lease } = this.#plants
    const call = <Value>(operation: () => Promise<Value>) => process.call(operation)
    const shared = { partitions: PARTITIONS, state: this.log, drainMs: DRAIN_MS, tombstonesMax: TOMBSTONES_MAX }
    const log = memoryLog({
      ...shared,
      clock: env.clock,
      newId: () => env.newId(),
      checks: this.#watched(checks),
      call,
    })
    const own: EventLog['own'] = (owner, signal) =>
      log.own({ id: owner.id, onLease: (lease) => owner.onLease(plant(lease, this.log)) }, signal)
    return { ...log, own }
  }

  /** Notes whose the partition was at each commit that passes the check. */
  #watched(checks: CommitChecks): CommitChecks {
    return {
      ...checks,
      epoch: (kept, given) => {
        const passes = checks.epoch(kept, given)
        if (passes) this.commits.push({ partition: -1, epoch: given.number, owner: kept.number })
        return passes
      },
    }
  }
}

const same = <Port>(port: Port): Port => port

const noFaults: FaultRates = { crash: 0, pause: 0, lostCall: 0, slowCall: 0, lostAnswer: 0 }
export const silentMeter = { count: () => {}, observe: () => {}, gauge: () => {} }
const silentLogger = { info: () => {}, warn: () => {}, error: () => {} }
