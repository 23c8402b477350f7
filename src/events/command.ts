import { z } from 'zod'
import { REQUEST_ID_MAX } from './fact-schema.ts'
import { Sender, Withdrawal } from './generation.ts'
import { SessionId } from './ids.ts'
import { Owner } from './owner.ts'
import { Settlement } from './refund.ts'
import { GenerationTask, issueLines, MESSAGE_BYTES_MAX, type TaskSource, taskText } from './task.ts'
import { Time, text } from './text.ts'

export { MESSAGE_BYTES_MAX }

/** What a session row says of its session: no task does. */
const ofRow = { sessionId: SessionId, by: Sender, owner: Owner, requestId: text(REQUEST_ID_MAX).nullable() }

/** What may be asked of a known session, or of one that only its row tells of. A task is asked in the producer's own words, beside these. */
const Ask = z.discriminatedUnion('command', [
  z.object({ command: z.literal('generation.cancel'), sessionId: SessionId, by: Sender }),
  z.object({ command: z.literal('refund.retry'), sessionId: SessionId, by: Sender }),
  z.object({ command: z.literal('refund.settle'), sessionId: SessionId, ...Settlement.shape }),
  z.object({
    command: z.literal('generation.import'),
    ...ofRow,
    end: z.enum(['completed', 'failed']),
    evidence: text(2_000),
    requestedAt: Time,
  }),
  z.object({ command: z.literal('generation.give_up'), ...ofRow }),
  z.object({
    command: z.literal('refund.approve'),
    sessionId: SessionId,
    by: Sender,
    why: text(1_000).min(1),
    /** One of many that were approved at once. */
    bulk: z.boolean(),
  }),
  z.object({ command: z.literal('generation.hand_back'), sessionId: SessionId, by: Sender }),
  z.object({
    command: z.literal('generation.note_hand_back'),
    sessionId: SessionId,
    /** The `seq` of the `generation.released` that it answers. */
    release: z.int().positive(),
    /** Null: the task lies in the producers' list. Otherwise the platform does not want it any more. */
    withdrawn: z.object({ why: Withdrawal, detail: text(2_000) }).nullable(),
  }),
])

/** A task with the note of how it came. `replay` makes the owner ask the archive before it opens a session. */
interface Request {
  readonly command: 'generation.request'
  readonly sessionId: SessionId
  readonly task: GenerationTask
  readonly source: TaskSource
  /** The message's own words, where `taskText` would write the task in others. */
  readonly original?: string
}

/** A readable message that names a session but is no good task: an unknown session fails for it, a known one is not touched. */
interface Reject {
  readonly command: 'generation.reject'
  readonly sessionId: SessionId
  readonly issues: string[]
}

export type Command = z.infer<typeof Ask> | Request | Reject
export type Ask = z.infer<typeof Ask>

/** What an inbox message turned out to be. `poison`: nobody can be answered; it goes to the dead letters with its bytes. */
export type Parsed = Command | { readonly command: 'poison'; readonly reason: string }

/** Reads one inbox message: the producer's task as JSON, or a command of ours. Never throws. */
export const parseMessage = (bytes: Uint8Array, source: TaskSource): Parsed => {
  const read = readJson(bytes)
  if ('reason' in read) return { command: 'poison', reason: read.reason }
  // A task may carry fields that nobody knows, `command` among them: what names its session as a task does is one.
  const isAsk = 'command' in read.object && !('session_id' in read.object)
  return isAsk ? parseAsk(read.object, source) : parseTask(read, source)
}

/** The source under which this program publishes what it asks for. */
export const OUR_SOURCE: TaskSource = 'http'

/** A command of ours as an inbox carries it. */
export const encodeAsk = (ask: Ask): Uint8Array => Buffer.from(JSON.stringify(ask))

/** They speak for rows and ledger, so nobody but this system may: producers reach the inbox by other sources. */
const ONLY_OURS: ReadonlySet<Ask['command']> = new Set([
  'refund.retry',
  'refund.settle',
  'refund.approve',
  'generation.import',
  'generation.give_up',
  'generation.hand_back',
  'generation.note_hand_back',
])

const parseAsk = (object: object, source: TaskSource): Parsed => {
  const ask = Ask.safeParse(object)
  if (!ask.success) return { command: 'poison', reason: `not a command: ${issueLines(ask.error).join('; ')}` }
  const { command } = ask.data
  if (ONLY_OURS.has(command) && source !== OUR_SOURCE) return { command: 'poison', reason: `${command} from outside` }
  return ask.data
}

const parseTask = ({ object, words }: Read, source: TaskSource): Parsed => {
  const task = GenerationTask.safeParse(object)
  if (task.success) {
    const known = taskText(task.data) === words
    const { sessionId } = task.data
    return { command: 'generation.request', sessionId, task: task.data, source, ...(!known && { original: words }) }
  }
  const issues = issueLines(task.error)
  const named = z.object({ session_id: SessionId }).safeParse(object)
  if (!named.success) return { command: 'poison', reason: `not a task: ${issues.join('; ')}` }
  return { command: 'generation.reject', sessionId: named.data.session_id, issues }
}

const utf8 = new TextDecoder('utf-8', { fatal: true })

interface Read {
  readonly object: object
  readonly words: string
}

const readJson = (bytes: Uint8Array): Read | { reason: string } => {
  if (bytes.byteLength > MESSAGE_BYTES_MAX) return { reason: `larger than ${MESSAGE_BYTES_MAX} bytes` }
  try {
    const words = utf8.decode(bytes)
    const value: unknown = JSON.parse(words)
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return { object: value, words }
    return { reason: 'not a JSON object' }
  } catch (error) {
    return { reason: error instanceof SyntaxError ? 'not JSON' : 'not UTF-8' }
  }
}
