import { aborted } from '../machines/runtime/signal.ts'
import type { EventStream } from './event-stream.ts'
import type { FactFeed, FedFact } from './fact-feed.ts'
import type { HttpParts } from './parts.ts'
import { Problem, reach } from './problem.ts'
import { type ResumeQuery, resumePoint } from './resume.ts'
import type { Answer, Call } from './route.ts'

/** Archived facts that are read at once for a client that catches up. */
const PAGE = 500
/** Live facts that may wait while a client reads the last of the past; one that needs more reads on by itself. */
const WAITING_MAX = 1_000

/** Every fact of every session behind an ordinal, or from now on. */
export const allEvents = async (
  call: Call<unknown, ResumeQuery>,
  parts: HttpParts,
  feed: FactFeed,
): Promise<Answer> => {
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
