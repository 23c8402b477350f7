import { transactionsOf } from '../adapters/memory/ledger.ts'
import type { MemoryLogData } from '../adapters/memory/log-state.ts'
import { encodeAsk } from '../events/command.ts'
import { partitionOf, type SessionId } from '../events/ids.ts'
import { tenantOf } from '../events/owner.ts'
import type { TaskSource } from '../events/task.ts'
import { isoTime } from '../events/text.ts'
import { sessionTable } from '../machines/compile.ts'
import { replayLetter } from '../machines/runtime/dead-letters.ts'
import type { replay } from '../machines/snapshot.ts'
import { type Evidence, type Violation, violations } from '../projections/invariants.ts'
import type { FaultRates } from './process.ts'
import { type PlannedSession, plan } from './scenario.ts'
import { Scheduler } from './scheduler.ts'
import { PARTITIONS, type Plants, silentMeter, World } from './world.ts'

const SESSIONS = 16
const PROCESSES = 3
const START = Date.UTC(2026, 0, 1)
/** Things break this long; then the world is calm, and everything must come to its end. */
const CHAOS_MS = 240_000
/** An answer takes no longer, but for a process that stands still meanwhile. */
const ANSWER_MS_MAX = 20
const LOOK_EVERY_MS = 10_000
const END_MS = 4 * 3_600_000
/** Letters that the operator replays at a time. */
const REPLAYS = 3

const rates: FaultRates = { crash: 0.0004, pause: 0.0003, lostCall: 0.01, slowCall: 0.003, lostAnswer: 0.01 }

export interface SimulationReport {
  readonly seed: number
  readonly violations: readonly Violation[]
  /** How the accepted sessions ended. */
  readonly ends: Readonly<Record<string, number>>
}

/** One run of the whole system under faults, then in calm until it rests. The same seed is the same run. */
export const simulate = async (seed: number, plants: Plants = {}): Promise<SimulationReport> => {
  const scheduler = new Scheduler(seed, START)
  const planned = new Map(plan(scheduler, SESSIONS).map((session) => [session.id, session]))
  const run = new Run(scheduler, new World(scheduler, planned, rates, plants), planned)
  return run.report(seed)
}

class Run {
  readonly #scheduler: Scheduler
  readonly #world: World
  readonly #planned: ReadonlyMap<SessionId, PlannedSession>
  /** Sessions whose publication was acknowledged. */
  readonly #accepted = new Set<SessionId>()
  /** B2c sessions whose push the platform failed, in order: its refund names no session. */
  readonly #failedPushes = new Map<string, SessionId[]>()
  readonly #readings: Evidence['readings'][number][] = []
  #pushesLeft = 0
  /** When the log lost its tail, if it did. */
  #lostAt = Number.NEGATIVE_INFINITY

  constructor(scheduler: Scheduler, world: World, planned: ReadonlyMap<SessionId, PlannedSession>) {
    this.#scheduler = scheduler
    this.#world = world
    this.#planned = planned
  }

  async report(seed: number): Promise<SimulationReport> {
    for (let index = 1; index <= PROCESSES; index++) this.#world.startProcess(`process-${index}`)
    for (const session of this.#planned.values()) this.#playProducer(session)
    this.#playOperator()
    this.#playPlatform()
    this.#playClients()
    if (this.#scheduler.chance(0.3)) this.#stopTheStore()
    if (this.#scheduler.chance(0.3)) this.#loseTheTail()
    if (this.#scheduler.chance(0.3)) this.#stopTheLedger()
    this.#scheduler.after(CHAOS_MS, () => {
      this.#world.calm = true
    })
    const rested = await this.#scheduler.run(() => this.#atRest(), START + END_MS)
    const evidence = this.#evidence()
    const found = violations(sessionTable, evidence, { atRest: true })
    if (!rested && found.length === 0)
      found.push({ promise: 'nothing accepted is lost', about: 'the run', what: 'it never came to rest' })
    return { seed, violations: found, ends: this.#ends() }
  }

  /** The producer charges, writes the row and pushes until it is acknowledged; it may push again, or push what is broken. */
  #playProducer(session: PlannedSession): void {
    const { process, log } = this.#world.caller('producer')
    const bytes = taskOf(session, this.#scheduler.now() + session.publishAtMs)
    const push = (message: Uint8Array, acknowledged: (sentAt: number) => void, source: TaskSource = 'list'): void => {
      const sentAt = this.#scheduler.now()
      log.publish([{ partition: this.#inboxFor(session.id), bytes: message, source }]).then(
        () => acknowledged(sentAt),
        () => this.#scheduler.after(500, () => push(message, acknowledged, source)),
      )
    }
    const acknowledged = (sentAt: number) => {
      this.#pushesLeft--
      // Its answer was on the way when the log went back: it may speak of what is gone.
      if (sentAt <= this.#lostAt) return
      this.#accepted.add(session.id)
    }
    this.#pushesLeft += session.pushes
    this.#scheduler.after(session.publishAtMs, () => {
      const order = {
        sessionId: session.id,
        owner: session.owner,
        requestId: requestOf(session),
        imageUrls: [],
        prompt: '',
      }
      void this.#world
        .storeFor(process.clock)
        .producer.order({ ...order, charge: session.charged ? 'account' : 'nobody' })
      for (let again = 0; again < session.pushes; again++) {
        const broken = session.malformed && again === 0
        // A task that was replayed is a task like any other, whatever became of its session meanwhile.
        const source = again > 0 && this.#scheduler.chance(0.3) ? 'replay' : 'list'
        this.#scheduler.after(again === 0 ? 0 : this.#scheduler.between(0, 200_000), () => {
          push(broken ? brokenTask(session) : bytes, acknowledged, source)
        })
      }
      if (session.malformed) push(Buffer.from('{"not": "a task'), () => {})
      if (session.cancelAfterMs !== null) {
        const by = { role: 'tenant', tenant: tenantOf(session.owner) } as const
        const cancel = encodeAsk({ command: 'generation.cancel', sessionId: session.id, by })
        this.#scheduler.after(session.cancelAfterMs, () => push(cancel, () => {}))
      }
    })
  }

  /** Some messages lie in the wrong inbox, and must be forwarded. */
  #inboxFor(session: SessionId): number {
    return this.#scheduler.chance(0.9)
      ? partitionOf(session, PARTITIONS)
      : Math.floor(this.#scheduler.random() * PARTITIONS)
  }

  #playOperator(): void {
    const { process, log } = this.#world.caller('operator')
    const env = { clock: process.clock, meter: silentMeter }
    /** Also letters of sessions that go on: whatever is replayed moves none that is known. */
    const replay = async () => {
      const { items } = await log.letters.list({ limit: REPLAYS, state: 'waiting' })
      for (const { id } of items) await replayLetter(id, { by: 'operator' }, { log, env })
    }
    /** Settles by hand what seems to be owed, and now and then what is not: the payment may be under way. */
    const settle = async () => {
      const id = this.#scheduler.pick(this.#scheduler.chance(0.8) ? this.#owed() : [...this.#planned.keys()])
      const by = { role: 'operator', name: 'operator' } as const
      const ask = { command: 'refund.settle', sessionId: id, by, how: 'paid_outside', why: 'the shop paid' } as const
      await log.publish([{ partition: this.#inboxFor(id), bytes: encodeAsk(ask), source: 'http' }])
    }
    const tick = () => {
      this.#world.repairAll()
      if (!this.#world.calm && this.#scheduler.chance(0.3)) settle().catch(() => {})
      if (!this.#world.calm && this.#scheduler.chance(0.2)) replay().catch(() => {})
      if (!this.#world.calm && this.#scheduler.chance(0.1)) this.#world.restartOne()
      this.#scheduler.after(20_000, tick)
    }
    this.#scheduler.after(20_000, tick)
  }

  /** Sessions whose refund was open when somebody last looked; any where there is none. */
  #owed(): SessionId[] {
    const all = [...this.#planned.keys()]
    const owed = all.filter((id) => isOwed(this.#world.store.sessions.get(id)))
    return owed.length > 0 ? owed : all
  }

  #playPlatform(): void {
    const { process } = this.#world.caller('platform')
    const { play } = this.#world.storeFor(process.clock)
    for (const session of this.#planned.values()) {
      const at = session.publishAtMs + this.#scheduler.between(1, 60_000)
      const act = async () => {
        const goes = ['queued', 'processing'].includes(this.#world.store.rows.get(session.id)?.status ?? '')
        // The platform fails a push within seconds, while its own row still waits.
        if (session.platform === 'failed_push' && goes && session.charged) {
          if (session.owner.channel === 'b2c') {
            const { userId } = session.owner
            this.#failedPushes.set(userId, [...(this.#failedPushes.get(userId) ?? []), session.id])
          }
          await play.failPush(session.id).catch(() => {})
        }
        if (session.platform === 'uninstall' && session.owner.channel === 'b2b')
          await play.uninstall(session.owner.storeId)
      }
      if (session.platform !== null) this.#scheduler.after(at, () => void act())
    }
    if (this.#scheduler.chance(0.5))
      this.#scheduler.after(this.#scheduler.between(660_000, 900_000), () => void play.midnight())
  }

  /** Clients that look at their sessions again and again. */
  #playClients(): void {
    const { process } = this.#world.caller('client')
    const { archive } = this.#world.storeFor(process.clock)
    const look = async (sessionId: SessionId) => {
      const facts = await process.call(() => archive.session(sessionId)).catch(() => [])
      this.#readings.push({ sessionId, types: facts.map(({ type }) => type) })
      if (!this.#world.calm)
        this.#scheduler.after(this.#scheduler.between(0, 2 * LOOK_EVERY_MS), () => void look(sessionId))
    }
    for (const { id, publishAtMs } of this.#planned.values()) this.#scheduler.after(publishAtMs, () => void look(id))
  }

  #stopTheStore(): void {
    this.#scheduler.after(this.#scheduler.between(0, CHAOS_MS), () => {
      this.#world.storeDownUntil = this.#scheduler.now() + this.#scheduler.between(1_000, 60_000)
    })
  }

  #stopTheLedger(): void {
    this.#scheduler.after(this.#scheduler.between(0, CHAOS_MS), () => {
      this.#world.ledgerRefusesUntil = this.#scheduler.now() + this.#scheduler.between(10_000, 200_000)
    })
  }

  /** The log goes back to an earlier moment while everyone is at work, as after a failover, and grows on from there. */
  #loseTheTail(): void {
    const cutAt = this.#scheduler.between(20_000, CHAOS_MS)
    this.#scheduler.after(cutAt, () => {
      const earlier: MemoryLogData = structuredClone(this.#world.log.data)
      this.#scheduler.after(this.#scheduler.between(100, 10_000), () => {
        this.#world.log.data = earlier
        this.#lostAt = this.#scheduler.now()
        // As far as the log itself is durable: what the session's partition had taken and nobody else has seen is gone.
        for (const id of this.#accepted) {
          if (!this.#world.store.sessions.has(id) && !holdsTraceOf(id, earlier)) this.#accepted.delete(id)
        }
        // A try may still begin whose start was acknowledged just before: the answer was on its way.
        this.#scheduler.after(ANSWER_MS_MAX, () => {
          this.#world.tries = []
        })
      })
    })
  }

  #atRest(): boolean {
    if (!this.#world.calm || this.#pushesLeft > 0) return false
    const { facts, sessions, projections } = this.#world.store
    for (const name of ['sessions', 'refunds']) if ((projections.get(name)?.position ?? 0) < facts.length) return false
    for (const id of this.#accepted) if (!hasEnded(sessions.get(id))) return false
    return this.#world.log.data.partitions.every(({ snapshots, inbox }) => inbox.length === 0 && snapshots.size === 0)
  }

  #evidence(): Evidence {
    const { sessions, rows, ledger } = this.#world.store
    const failedPushes = structuredClone(this.#failedPushes)
    const given = [...ledger.transactions.values()].flat().filter(({ type }) => type === 'refund')
    const refunds = given.flatMap(({ owner, description, requestId, amount }) => {
      const failedPush = description === 'Queue error - refund' && requestId === null
      const sessionId = failedPush ? failedPushes.get(owner)?.shift() : this.#sessionOf(description, requestId)
      const by = description.includes('refund:') ? ('us' as const) : ('platform' as const)
      return sessionId === undefined ? [] : [{ sessionId, credits: amount, by }]
    })
    return {
      accepted: this.#accepted,
      facts: sessions,
      readings: this.#readings,
      refunds,
      rows: new Map([...rows].map(([id, row]) => [id, { state: row.state ?? null, seq: row.seq }])),
      tries: this.#world.tries,
      commits: this.#world.commits,
      balances: [...ledger.users, ...ledger.stores].map(([account, { balance }]) => {
        const sum = transactionsOf(ledger, account).reduce((total, { amount }) => total + amount, 0)
        return { account, balance, sum }
      }),
    }
  }

  #sessionOf(description: string, requestId: string | null): SessionId | undefined {
    for (const session of this.#planned.values()) {
      if (description.includes(session.id) || (requestId !== null && requestId === requestOf(session)))
        return session.id
    }
    return undefined
  }

  #ends(): Record<string, number> {
    const ends: Record<string, number> = {}
    for (const id of this.#accepted) {
      const facts = this.#world.store.sessions.get(id) ?? []
      const end = facts.at(-1)?.type ?? 'nothing'
      ends[end] = (ends[end] ?? 0) + 1
    }
    return ends
  }
}

const isOwed = (facts: Parameters<typeof replay>[2] | undefined): boolean =>
  facts?.at(-1)?.type.startsWith('refund.') === true && !hasEnded(facts)

const hasEnded = (facts: Parameters<typeof replay>[2] | undefined): boolean => {
  const last = facts?.at(-1)?.type
  return (
    last === 'generation.completed' || last === 'refund.issued' || last === 'refund.waived' || last === 'refund.settled'
  )
}

const holdsTraceOf = (id: SessionId, data: MemoryLogData): boolean => {
  const home = data.partitions[partitionOf(id, PARTITIONS)]
  if (home === undefined) return false
  return (
    home.snapshots.has(id) || home.tombstones.has(id) || home.inbox.some(({ bytes }) => Buffer.from(bytes).includes(id))
  )
}

const requestOf = ({ id }: PlannedSession): string => `req_${id}`

const taskOf = (session: PlannedSession, at: number): Uint8Array => {
  const { owner } = session
  const task = {
    task_id: `task-${session.id}`,
    channel: owner.channel,
    ...(owner.channel === 'b2b' ? { store_id: owner.storeId } : { user_id: owner.userId }),
    session_id: session.id,
    image_urls: ['https://images.example/person.jpg'],
    request_id: requestOf(session),
    ...(session.withTime && { created_at: isoTime(at) }),
  }
  return Buffer.from(JSON.stringify(task))
}

const brokenTask = (session: PlannedSession): Uint8Array =>
  Buffer.from(JSON.stringify({ session_id: session.id, image_urls: [] }))
