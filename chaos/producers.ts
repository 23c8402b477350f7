import { setTimeout as sleep } from 'node:timers/promises'
import { encodeAsk } from '../src/events/command.ts'
import { partitionOf, type SessionId } from '../src/events/ids.ts'
import { tenantOf } from '../src/events/owner.ts'
import type { EventLog } from '../src/machines/ports/event-log.ts'
import type { Order, Producer } from '../src/projections/producer.ts'
import type { PlannedSession, Route } from './sessions.ts'

const RETRY_MS = 50
/** A process that stands still keeps the connection open and answers nothing. */
const ANSWER_MS = 3_000
/** Nobody who produces gives up before a fault is over. */
const PATIENCE_MS = 120_000
const UNIQUE_VIOLATION = '23505'

export interface Doors {
  readonly log: EventLog
  readonly producer: Producer
  /** Pushes to the producers' list; null where there is none. */
  readonly list: ((bytes: Uint8Array) => Promise<void>) | null
  /** A process that answers HTTP by now, another one at each call. */
  readonly url: () => string
  /** A signed URL of a picture that every process can open. */
  readonly picture: string
}

/** The platform's producers: each orders and publishes for its accounts, one after the other, until it is acknowledged. */
export class Producers {
  /** When each session's publication was acknowledged, ms since the Unix epoch. */
  readonly acknowledged = new Map<SessionId, number>()
  /** How many messages were published that are no task. */
  poison = 0
  /** How many orders were gone, row and charge, when their producer asked again: a database lost what it had acknowledged. */
  ordersLost = 0
  readonly #doors: Doors
  readonly #sessions: readonly PlannedSession[]
  readonly #createdAt = new Map<SessionId, string>()
  readonly #ordered = new Set<SessionId>()
  readonly #cancels: Promise<void>[] = []

  constructor(sessions: readonly PlannedSession[], doors: Doors) {
    this.#sessions = sessions
    this.#doors = doors
  }

  /** Resolves when all are acknowledged. @param spreadMs the time over which the orders come. */
  async run(spreadMs: number): Promise<void> {
    const startedAt = Date.now()
    const perAccount = Map.groupBy(this.#sessions, ({ account }) => account)
    const serve = async (sessions: readonly PlannedSession[]) => {
      for (const session of sessions) {
        await sleep(Math.max(0, startedAt + session.dueAt * spreadMs - Date.now()))
        await this.#produce(session)
      }
    }
    await Promise.all([...perAccount.values()].map(serve))
    await Promise.all(this.#cancels)
  }

  /** Orders and publishes again what is asked for, as front ends do with sessions that do not move. */
  async again(ids: readonly SessionId[]): Promise<void> {
    const known = new Map(this.#sessions.map((session) => [session.id, session]))
    for (const id of ids) {
      const session = known.get(id)
      // Straight into the inbox: the door of HTTP has its first answer still, and gives it without publishing.
      if (session !== undefined) await this.#orderAndPublish(session, 'inbox')
    }
  }

  async #produce(session: PlannedSession): Promise<void> {
    if (session.poisonBefore) await this.#poison(session.id)
    await this.#orderAndPublish(session, session.route)
    this.acknowledged.set(session.id, Date.now())
    if (session.cancelAfterMs !== null) this.#cancels.push(this.#cancel(session, session.cancelAfterMs))
  }

  /** Each try orders first: a server that fell may have lost the row whose task could not be published. */
  #orderAndPublish(session: PlannedSession, route: Route): Promise<void> {
    return untilDone(async () => {
      await this.#order(session)
      await this.#publish(session, route)
    })
  }

  async #order({ id, account }: PlannedSession): Promise<void> {
    const { owner, charge, shopperEmail } = account
    const order: Order = {
      sessionId: id,
      owner,
      requestId: requestOf(id),
      imageUrls: [this.#doors.picture],
      prompt: '',
      charge,
      ...(shopperEmail !== undefined && { shopperEmail }),
    }
    try {
      await this.#doors.producer.order(order)
      if (this.#ordered.has(id)) this.ordersLost++
    } catch (error) {
      // Its row is there: an earlier call was carried out, and its answer or its task's was lost.
      if ((error as { code?: unknown }).code !== UNIQUE_VIOLATION) throw error
    }
    this.#ordered.add(id)
  }

  #publish(session: PlannedSession, route: Route): Promise<void> {
    const bytes = Buffer.from(JSON.stringify(this.#taskOf(session)))
    if (route === 'http') return postTask(this.#doors.url(), bytes)
    if (route === 'list' && this.#doors.list !== null) return this.#doors.list(bytes)
    return this.#inbox(session.id, bytes)
  }

  #inbox(id: SessionId, bytes: Uint8Array): Promise<void> {
    const { log } = this.#doors
    return log.publish([{ partition: partitionOf(id, log.partitions), bytes, source: 'inbox' }])
  }

  async #poison(beside: SessionId): Promise<void> {
    const bytes = Buffer.from(`{"not a task": "${beside}"`)
    await untilDone(() => this.#inbox(beside, bytes))
    this.poison++
  }

  async #cancel({ id, account }: PlannedSession, afterMs: number): Promise<void> {
    await sleep(afterMs)
    const by = { role: 'tenant', tenant: tenantOf(account.owner) } as const
    await untilDone(() => this.#inbox(id, encodeAsk({ command: 'generation.cancel', sessionId: id, by })))
  }

  #taskOf({ id, account: { owner }, broken }: PlannedSession): object {
    const createdAt = this.#createdAt.get(id) ?? new Date().toISOString()
    this.#createdAt.set(id, createdAt)
    return {
      task_id: `task-${id}`,
      channel: owner.channel,
      ...(owner.channel === 'b2b' ? { store_id: owner.storeId } : { user_id: owner.userId }),
      session_id: id,
      image_urls: broken ? [] : [this.#doors.picture],
      request_id: requestOf(id),
      created_at: createdAt,
    }
  }
}

const requestOf = (id: SessionId): string => `req_${id}`

const postTask = async (url: string, body: Uint8Array): Promise<void> => {
  const headers = { 'content-type': 'application/json' }
  const init = { method: 'POST', headers, body: Buffer.from(body), signal: AbortSignal.timeout(ANSWER_MS) }
  const response = await fetch(`${url}/v1/generations`, init)
  const answer = await response.text()
  if (response.status !== 202) throw new Error(`${url} answered ${response.status}: ${answer.slice(0, 300)}`)
}

const untilDone = async (work: () => Promise<void>): Promise<void> => {
  const end = Date.now() + PATIENCE_MS
  for (;;) {
    try {
      return await work()
    } catch (error) {
      if (Date.now() > end) throw error
      await sleep(RETRY_MS)
    }
  }
}
