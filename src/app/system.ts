import { newSecret } from '../adapters/system/secret.ts'
import type { Config } from '../config.ts'
import { createHttp } from '../http/app.ts'
import { type Listening, listen } from '../http/listen.ts'
import { defaultLimits, type HttpParts } from '../http/parts.ts'
import { PauseWatch } from '../machines/runtime/pause-watch.ts'
import { type Loop, supervise } from '../machines/runtime/supervisor.ts'
import type { Worker } from '../machines/runtime/worker.ts'
import { eraseSome } from '../projections/erase-some.ts'
import { rebuild } from '../projections/rebuild.ts'
import { openEnvironment, type ProcessEnvironment } from './environment.ts'
import { backlogLoop, handBackLoop, pauseLoop, projections, projectorLoops } from './loops.ts'
import { type Opened, openAll } from './open.ts'
import { keepOperatorToken } from './operator-token.ts'
import { type OpenedBodies, openBodies } from './pose.ts'
import { openRehearsal } from './rehearsal.ts'
import { openWorker } from './worker.ts'

/** The slowest loop turns once a minute. */
const STALLED_LOOP_MS = 180_000
/** How long running requests may take to end, once nothing else runs. */
const HTTP_GRACE_MS = 5_000

/** What a demo or a test puts in the place of what the configuration chose. */
export interface Overrides {
  readonly env?: ProcessEnvironment
  readonly replace?: (opened: Opened) => Opened
}

/** A running process. */
export interface System {
  readonly url: string
  readonly opened: Opened
  /** Hands its partitions over, lets running generations and requests end within the grace period, and closes everything. */
  stop(): Promise<void>
}

/** Opens what the configuration chose and runs its roles until stopped. Rejects when something cannot be opened. */
export const startSystem = async (config: Config, overrides: Overrides = {}): Promise<System> => {
  const env = overrides.env ?? openEnvironment(config.logLevel)
  const opened = await openAll(config, env)
  const running = new Running(config, env, overrides.replace?.(opened) ?? opened)
  try {
    return await running.start()
  } catch (error) {
    await running.release()
    throw error
  }
}

/** The roles of one process and the order in which they start and end. */
class Running {
  readonly #config: Config
  readonly #env: ProcessEnvironment
  readonly #opened: Opened
  readonly #stopWorker = new AbortController()
  readonly #stopProjector = new AbortController()
  readonly #rebuilding = new Set<string>()
  readonly #loops: Loop[] = []
  readonly #pauses: PauseWatch
  #bodies: OpenedBodies | null = null
  #operatorToken: string | null = null
  #worker: Worker | null = null
  #draining = false

  constructor(config: Config, env: ProcessEnvironment, opened: Opened) {
    this.#config = config
    this.#env = env
    this.#opened = opened
    this.#pauses = new PauseWatch(opened.store.pauses, env)
  }

  async start(): Promise<System> {
    const { roles, host, port } = this.#config
    if (roles.has('worker')) {
      const { worker, generations } = openWorker(this.#config, this.#env, this.#opened)
      this.#worker = worker
      this.#pauses.govern(generations)
    }
    if (roles.has('api')) this.#bodies = openBodies(this.#config, this.#env, this.#opened)
    if (roles.has('api')) this.#operatorToken = keepOperatorToken(this.#config.dataDir, this.#env.logger)
    // Before any work begins: an address that is taken must not cost a try.
    const server = await listen(createHttp(this.#httpParts(), { probesOnly: !roles.has('api') }), { host, port })
    this.#opened.announce(server.url)
    const worker = this.#worker
    const workerLoop =
      worker && supervise('worker', (alive, stop) => worker.run(alive, stop), this.#env, this.#stopWorker.signal)
    if (workerLoop !== null) this.#loops.push(workerLoop)
    if (worker !== null) this.#loops.push(backlogLoop(worker, this.#opened, this.#env, this.#stopProjector.signal))
    const { bridge } = this.#opened
    if (bridge !== null && roles.has('bridge')) {
      const carry = (alive: () => void, stop: AbortSignal) => bridge(() => this.#pauses.holdsList(), alive, stop)
      this.#loops.push(supervise('bridge', carry, this.#env, this.#stopWorker.signal))
      const handBack = handBackLoop(this.#pauses, this.#opened, this.#env, this.#stopWorker.signal)
      if (handBack !== null) this.#loops.push(handBack)
    }
    this.#loops.push(pauseLoop(this.#pauses, this.#opened, this.#env, this.#stopProjector.signal))
    if (roles.has('projector')) {
      this.#loops.push(
        ...projectorLoops(this.#opened, this.#config, this.#pauses, this.#env, this.#stopProjector.signal),
      )
    }
    let stopping: Promise<void> | null = null
    return {
      url: server.url,
      opened: this.#opened,
      stop: () => {
        stopping ??= this.#stop(server, workerLoop)
        return stopping
      },
    }
  }

  /** Tables follow until the last generation has ended, and clients see it; then nothing is left to do. */
  async #stop(server: Listening, workerLoop: Loop | null): Promise<void> {
    this.#draining = true
    this.#stopWorker.abort('stopping')
    await workerLoop?.ended
    await server.close(HTTP_GRACE_MS)
    this.#stopProjector.abort('stopping')
    await Promise.all(this.#loops.map(({ ended }) => ended))
    await this.release()
  }

  /** Closes what it was given and what it opened. */
  async release(): Promise<void> {
    await this.#bodies?.close()
    await this.#opened.close()
  }

  #httpParts(): HttpParts {
    const { log, store, objects, folder, played, checks } = this.#opened
    const worker = this.#worker
    return {
      log,
      queries: store.queries,
      acceptances: store.acceptances,
      archive: store.archive,
      tables: store.tables,
      past: store.past,
      orphans: store.orphans,
      erase: (owner, by) => eraseSome({ erasure: store.erasure, objects, letters: log.letters }, owner, by),
      objects: folder,
      images: objects,
      rebuild: this.#config.roles.has('projector') ? (name) => this.#rebuild(name) : null,
      repair: worker === null ? null : (partition) => worker.repair(partition),
      bodies: this.#bodies?.parts ?? null,
      keys: store.apiKeys,
      audit: store.audit,
      pauses: this.#pauses.heeding(store.pauses),
      paused: () => this.#pauses.pauses,
      handbacks: store.handbacks,
      hasProducersList: this.#opened.producersList !== null,
      newSecret,
      operatorToken: this.#operatorToken,
      consoleSecret: this.#config.consoleSecret ?? this.#operatorToken ?? newSecret(),
      trustedProxies: this.#config.trustedProxies,
      publicUrl: this.#opened.publicUrl,
      rehearsal: played && openRehearsal({ ...played, objects }, () => this.#env.newId()),
      status: () => ({
        loops: this.#loops.map(({ status }) => status()),
        partitions: worker?.partitions ?? [],
        draining: this.#draining,
      }),
      checks,
      metrics: this.#env.meter,
      env: this.#env,
      limits: {
        ...defaultLimits,
        tenantBacklogMax: this.#config.tenantBacklogMax,
        keyRequestsPerMinute: this.#config.keyRequestsPerMinute,
        addressRequestsPerMinute: this.#config.addressRequestsPerMinute,
        stalledLoopMs: STALLED_LOOP_MS,
      },
    }
  }

  /** Runs beside everything else; what it found is logged when it ends. */
  async #rebuild(name: string): Promise<'started' | 'running' | 'unknown'> {
    const one = projections.find((projection) => projection.name === name)
    if (one === undefined) return 'unknown'
    if (this.#rebuilding.has(name)) return 'running'
    this.#rebuilding.add(name)
    const { logger } = this.#env
    void rebuild(one, this.#opened.store, { signal: this.#stopProjector.signal })
      .then(
        (drift) => logger.info({ projection: name, ...drift }, 'projection rebuilt'),
        (error: unknown) => logger.error({ projection: name, error }, 'rebuild of a projection failed'),
      )
      .finally(() => this.#rebuilding.delete(name))
    return 'started'
  }
}
