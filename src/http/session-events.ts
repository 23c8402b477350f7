import type { Fact } from '../events/fact.ts'
import type { SessionId } from '../events/ids.ts'
import { sessionTable } from '../machines/compile.ts'
import { onAbort, WakeUp } from '../machines/runtime/signal.ts'
import { advance, type Snapshot, unborn } from '../machines/snapshot.ts'
import type { EventStream } from './event-stream.ts'
import type { FactFeed, FedFact } from './fact-feed.ts'
import type { HttpParts } from './parts.ts'
import { reach } from './problem.ts'
import { type ResumeQuery, resumePoint } from './resume.ts'
import type { Answer, Call } from './route.ts'
import { findSession } from './sessions.ts'

/** One session's facts from the start or behind a seq, then live; ends after the last fact that it can have. */
export const sessionEvents = async (
  call: Call<{ id: SessionId }, ResumeQuery>,
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
  readonly #after: number

  constructor(id: SessionId, after: number) {
    this.#id = id
    this.#after = after
    this.#session = unborn(sessionTable, id)
  }

  /** Whether these facts close the session and the client has all of them. */
  isRead(facts: readonly Fact[]): boolean {
    const session = facts.reduce(follow, unborn(sessionTable, this.#id))
    return isClosed(session) && session.seq <= this.#after
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
    if (fact.seq > this.#after) stream.send(fact.seq, JSON.stringify(fact))
    await stream.roomy()
  }
}

/** The session after an archived fact; one that today's machine refuses is still sent, and changes no state. */
const follow = (session: Snapshot, fact: Fact): Snapshot =>
  advance(sessionTable, session, fact) ?? { ...session, seq: fact.seq }

const isClosed = ({ state }: Snapshot): boolean => sessionTable.states.get(state)?.closed ?? false
