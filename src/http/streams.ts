import { z } from 'zod'
import type { Fact } from '../events/fact.ts'
import { SessionId } from '../events/ids.ts'
import { sessionTable } from '../machines/compile.ts'
import { aborted, onAbort, WakeUp } from '../machines/runtime/signal.ts'
import { advance, type Snapshot, unborn } from '../machines/snapshot.ts'
import type { EventStream } from './event-stream.ts'
import { FactFeed, type FedFact } from './fact-feed.ts'
import type { HttpParts } from './parts.ts'
import { Problem, reach } from './problem.ts'
import { type Answer, type Call, parameters, type Route, route } from './route.ts'
import { findSession } from './sessions.ts'

/** Archived facts that are read at once for a client that catches up. */
const PAGE = 500
/** Live facts that may wait while a client reads the last of the past; one that needs more reads on by itself. */
const WAITING_MAX = 1_000

const Position = z
  .string()
  .regex(/^\d{1,15}$/, 'is not a whole number')
  .transform(Number)
/** Where to go on from: the browser's header on a reconnect, or a parameter for the first time. */
const Query = z.strictObject({ after: Position.optional() })
type Query = z.infer<typeof Query>

/** Live updates as server-sent events. An event's id is where to resume behind. */
export const streamRoutes = (parts: HttpParts): Route[] => {
  const feed = new FactFeed(parts.archive, parts.env)
  return [
    route({
      method: 'get',
      path: '/v1/generations/:id/events',
      params: z.strictObject({ id: SessionId }),
      query: Query,
      handle: (call) => sessionEvents(call, parts, feed),
    }),
    route({ method: 'get', path: '/v1/events', query: Query, handle: (call) => allEvents(call, parts, feed) }),
  ]
}

/** One session's facts from the start or behind a seq, then live; ends after the last fact that it can have. */
const sessionEvents = async (
  call: Call<{ id: SessionId }, Query>,
  parts: HttpParts,
  feed: FactFeed,
): Promise<Answer> => {
  const { id } = call.params
  const after = resumePoint(call) ?? 0
  const history = await reach(parts.archive.session(id))
  if (history.length === 0) await findSession(id, parts)
  const reader = new SessionReader(id, after)
  // An EventSource connects again after every end; 204 is how it learns that there is no more.
  if (reader.isRead(history)) return { status: 204 }
  return { status: 200, stream: (stream) => reader.feed(stream, parts, feed) }
}

/** Sends one session's facts in order, whichever way they come. */
class SessionReader {
  readonly #id: SessionId
  #session: Snapshot
  #sent: number

  constructor(id: SessionId, sent: number) {
    this.#id = id
    this.#sent = sent
    this.#session = unborn(sessionTable, id)
  }

  /** Whether these facts close the session and the client has all of them. */
  isRead(facts: readonly Fact[]): boolean {
    const session = facts.reduce(follow, unborn(sessionTable, this.#id))
    return isClosed(session) && session.seq <= this.#sent
  }

  async feed(stream: EventStream, { archive }: HttpParts, feed: FactFeed): Promise<void> {
    const live: FedFact[] = []
    const wake = new WakeUp()
    onAbort(stream.closed, () => wake.notify())
    const listen = (fact: FedFact) => {
      live.push(fact)
      wake.notify()
    }
    // Following first: what is archived after the history was read comes this way, what was before is in the history.
    await feed.follow(this.#id, listen, stream.closed)
    await this.#sendHistory(stream, archive)
    while (!stream.closed.aborted && !isClosed(this.#session)) {
      const next = live.shift()
      if (next === undefined) await wake.wait()
      // A repair may archive a session's facts out of their order.
      else if (next.fact.seq > this.#session.seq + 1) await this.#sendHistory(stream, archive)
      else await this.#offer(stream, next.fact)
    }
  }

  async #sendHistory(stream: EventStream, archive: HttpParts['archive']): Promise<void> {
    for (const fact of await archive.session(this.#id)) await this.#offer(stream, fact)
  }

  async #offer(stream: EventStream, fact: Fact): Promise<void> {
    if (fact.seq !== this.#session.seq + 1) return
    this.#session = follow(this.#session, fact)
    if (fact.seq > this.#sent) stream.send(fact.seq, JSON.stringify(fact))
    await stream.roomy()
  }
}

/** The session after an archived fact; one that today's machine refuses is still sent, and changes no state. */
const follow = (session: Snapshot, fact: Fact): Snapshot =>
  advance(sessionTable, session, fact) ?? { ...session, seq: fact.seq }

const isClosed = ({ state }: Snapshot): boolean => sessionTable.states.get(state)?.closed ?? false

/** Every fact of every session behind an ordinal, or from now on. */
const allEvents = async (call: Call<unknown, Query>, parts: HttpParts, feed: FactFeed): Promise<Answer> => {
  const after = resumePoint(call)
  if (after !== null && after > (await reach(parts.archive.head()))) throw new Problem('unknown_position')
  return { status: 200, stream: (stream) => feedAll(stream, after, parts, feed) }
}

/** Live as long as the client keeps up, from the archive at its own pace when it does not. */
const feedAll = async (
  stream: EventStream,
  after: number | null,
  { archive }: HttpParts,
  feed: FactFeed,
): Promise<void> => {
  let sent = after
  while (!stream.closed.aborted) {
    if (sent !== null) sent = await catchUp(stream, sent, Infinity, archive)
    sent = await sendLive(stream, sent, archive, feed)
  }
}

/** Sends what happens behind an ordinal (null: from now on) until the client falls behind. Answers how far it came. */
const sendLive = async (
  stream: EventStream,
  after: number | null,
  archive: HttpParts['archive'],
  feed: FactFeed,
): Promise<number> => {
  const behind = new AbortController()
  const stopped = AbortSignal.any([stream.closed, behind.signal])
  const waiting: FedFact[] = []
  let isLive = false
  let sent = after ?? 0
  const send = (fact: FedFact) => {
    // The client may have read further by itself than the feed has.
    if (fact.ordinal <= sent) return
    stream.send(fact.ordinal, fact.json)
    sent = fact.ordinal
  }
  const listen = (fact: FedFact) => {
    if (isLive && !stream.full) send(fact)
    else if (isLive || waiting.push(fact) > WAITING_MAX) behind.abort()
  }
  const position = await feed.follow(null, listen, stopped)
  // What was archived between the last read and the following.
  sent = after === null ? position : await catchUp(stream, after, position, archive)
  for (let next = waiting.shift(); next !== undefined && !stopped.aborted; next = waiting.shift()) {
    send(next)
    await stream.roomy()
  }
  isLive = true
  await aborted(stopped)
  return sent
}

/** Sends what the archive has behind an ordinal, up to another, at the client's pace. Answers how far it came. */
const catchUp = async (
  stream: EventStream,
  after: number,
  upTo: number,
  archive: HttpParts['archive'],
): Promise<number> => {
  let sent = after
  while (sent < upTo) {
    await stream.roomy()
    const limit = Math.min(PAGE, upTo - sent)
    const page = await archive.read(sent, limit)
    for (const { ordinal, fact } of page) {
      if (stream.closed.aborted) return sent
      stream.send(ordinal, JSON.stringify(fact))
      sent = ordinal
      await stream.roomy()
    }
    if (page.length < limit) return sent
  }
  return sent
}

/** Where the client wants to go on: a reconnect's header is newer than the parameter of the first request. */
const resumePoint = ({ headers, query }: Call<unknown, Query>): number | null => {
  const header = headers['last-event-id']
  if (header === undefined || header === '') return query.after ?? null
  return parameters(z.object({ 'Last-Event-ID': Position }), { 'Last-Event-ID': header })['Last-Event-ID']
}
