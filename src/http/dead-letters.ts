import { z } from 'zod'
import { MESSAGE_BYTES_MAX } from '../events/command.ts'
import { text } from '../events/text.ts'
import { type DeadLetter, LETTER_ID, LETTER_STATES, type OpenedLetter } from '../machines/ports/dead-letters.ts'
import { discardLetter, replayLetter } from '../machines/runtime/dead-letters.ts'
import { ofService } from './access.ts'
import { LetterAnswer, LetterDoneAnswer, OpenedLetterAnswer, pageAnswer } from './answer-schemas.ts'
import { By } from './asks.ts'
import { actorOf } from './caller.ts'
import { given, pageQuery, readPage } from './page.ts'
import type { HttpParts } from './parts.ts'
import { Problem, reach } from './problem.ts'
import { type Answer, type Route, route } from './route.ts'
import { pageJson } from './views.ts'

const REASON_MAX = 1_000
/** As much of a letter as is shown: more than any message that could be read. */
const SHOWN_BYTES_MAX = MESSAGE_BYTES_MAX

const ReplayBody = z.strictObject({ by: By, force: z.boolean().default(false) })
const DiscardBody = z.strictObject({ by: By, reason: text(REASON_MAX).min(1) })
const OneLetter = z.strictObject({ id: z.string().regex(LETTER_ID, 'is not the id of a letter') })

/** What operators do with messages that nobody could work on. */
export const deadLetterRoutes = (parts: HttpParts): Route[] => [
  route({
    method: 'get',
    path: '/v1/dead-letters',
    title: 'Messages that nobody could work on',
    answer: pageAnswer(LetterAnswer),
    access: ofService('operate'),
    query: pageQuery(parts.limits).extend({ state: z.enum(LETTER_STATES).optional() }),
    handle: async ({ query }) => ({
      status: 200,
      body: pageJson(await readPage(parts.log.letters.list(given(query))), letterJson),
    }),
  }),
  route({
    method: 'get',
    path: '/v1/dead-letters/:id',
    title: 'One of them, with its bytes',
    answer: OpenedLetterAnswer,
    access: ofService('operate'),
    params: OneLetter,
    handle: async ({ params }) => {
      const letter = await reach(parts.log.letters.open(params.id))
      if (letter === null) throw new Problem('letter_unknown')
      return { status: 200, body: openedJson(letter) }
    },
  }),
  route({
    method: 'post',
    path: '/v1/dead-letters/:id/replay',
    title: 'Hand a message to the worker once more',
    answer: LetterDoneAnswer,
    access: ofService('operate'),
    action: 'letter.replay',
    params: OneLetter,
    json: ReplayBody,
    handle: ({ params, json, caller }) => replay(params.id, { by: actorOf(caller, json.by), force: json.force }, parts),
  }),
  route({
    method: 'post',
    path: '/v1/dead-letters/:id/discard',
    title: 'Note that a message needs no work',
    answer: LetterDoneAnswer,
    access: ofService('operate'),
    action: 'letter.discard',
    params: OneLetter,
    json: DiscardBody,
    handle: ({ params, json, caller }) =>
      discard(params.id, { by: actorOf(caller, json.by), reason: json.reason }, parts),
  }),
]

const replay = async (id: string, asked: { by: string; force: boolean }, parts: HttpParts): Promise<Answer> => {
  const done = await reach(replayLetter(id, asked, parts))
  if (done === null) throw new Problem('letter_unknown')
  const { outcome, letter } = done
  if (outcome === 'discarded') throw new Problem('letter_discarded')
  if (outcome === 'worn_out') throw new Problem('letter_worn_out')
  return { status: 200, body: { outcome, letter: letterJson(letter) } }
}

const discard = async (id: string, asked: { by: string; reason: string }, parts: HttpParts): Promise<Answer> => {
  const done = await reach(discardLetter(id, asked, parts))
  if (done === null) throw new Problem('letter_unknown')
  const { outcome, letter } = done
  if (outcome === 'replayed') throw new Problem('letter_replayed')
  return { status: 200, body: { outcome, letter: letterJson(letter) } }
}

const letterJson = (letter: DeadLetter): object => ({
  id: letter.id,
  partition: letter.partition,
  reason: letter.reason,
  source: letter.source,
  size_bytes: letter.sizeBytes,
  attempts: letter.attempts,
  first_seen_at: letter.firstSeenAt,
  last_seen_at: letter.lastSeenAt,
  state: letter.state,
  replays: letter.replays,
  last_action: letter.lastAction,
})

/** Of `text` and `bytes_base64` one is null: text where the bytes are UTF-8. */
const openedJson = (letter: OpenedLetter): object => {
  const shown = letter.bytes.subarray(0, SHOWN_BYTES_MAX)
  const isCut = shown.byteLength < letter.bytes.byteLength
  const utf8 = textOf(shown, isCut)
  return {
    ...letterJson(letter),
    text: utf8,
    bytes_base64: utf8 === null ? Buffer.from(shown).toString('base64') : null,
    is_cut: isCut,
  }
}

/** Null for bytes that are no UTF-8. A cut may go through a character, whose rest is left out then. */
const textOf = (bytes: Uint8Array, isCut: boolean): string | null => {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes, { stream: isCut })
  } catch {
    return null
  }
}
