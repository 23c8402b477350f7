import { join } from 'node:path'
import { z } from 'zod'
import { issueLines } from '../events/task.ts'
import { withoutSecrets } from './secrets-out.ts'

const CAUSES_MAX = 4
const FRAMES_MAX = 15
const TEXT_MAX = 500
const CODE = /^[\w.:-]{1,60}$/
const FRAME = /^ {4}at .{1,500}$/
/** The folder src/: what is thrown there has a message of ours. */
const OUR_CODE = join(import.meta.dirname, '../')

/** An error as the log keeps it. */
export interface ErrorFields {
  readonly type: string
  readonly code?: string
  readonly message?: string
  /** Where it was made, one line per frame. */
  readonly stack?: string
  readonly causes?: readonly ErrorFields[]
}

/**
 * What the log keeps of an error: class, code, frames and causes; and its words only where we wrote them, or where they are the
 * system's or the database's own about connections and schema. Anyone else's message, and every other field of an error, may
 * carry what the provider said, a value, a signed URL or a key.
 */
export const errorFields = (error: unknown, depth = 1): unknown => {
  if (typeof error === 'string') return error
  return error instanceof Error ? fieldsOf(error, depth) : { type: typeof error }
}

const fieldsOf = (error: Error, depth: number): ErrorFields => {
  const frames = framesOf(error)
  const code = codeOf(error)
  const message = wordsOf(error, code, frames)
  const causes = depth < CAUSES_MAX ? causesOf(error).map((cause) => fieldsOf(cause, depth + 1)) : []
  return {
    type: CODE.test(error.name) ? error.name : 'Error',
    ...(code !== null && { code }),
    ...(message !== null && { message: withoutSecrets(message).slice(0, TEXT_MAX) }),
    ...(frames.length > 0 && { stack: frames.join('\n') }),
    ...(causes.length > 0 && { causes }),
  }
}

/** Behind the header, which holds the message and may be made to look like a frame. */
const framesOf = ({ stack = '', message }: Error): string[] => {
  const start = message === '' ? 0 : stack.indexOf(message) + message.length
  const lines = stack.slice(start).split('\n')
  return lines.filter((line) => FRAME.test(line)).slice(0, FRAMES_MAX)
}

/** A Redis server says its code first: `WRONGPASS invalid username…`. */
const codeOf = (error: Error): string | null => {
  const { code, message, name } = error as Error & { code?: unknown }
  if (typeof code === 'string' && CODE.test(code)) return code
  return name === 'ReplyError' ? (/^[A-Z]{2,30}\b/.exec(message)?.[0] ?? null) : null
}

const SYSTEM = /^E[A-Z\d]+$/
const SQLSTATE = /^[\dA-Z]{5}$/
/** Classes of SQLSTATE whose words hold values, or are a function's own: data, constraints, raised ones. */
const SQLSTATE_WITH_VALUES = /^(?:22|23|P0)/

const wordsOf = (error: Error, code: string | null, frames: readonly string[]): string | null => {
  const { message } = error
  if (error instanceof z.ZodError) return issueLines(error).join('; ')
  if (code !== null && SQLSTATE.test(code)) return SQLSTATE_WITH_VALUES.test(code) ? null : message
  const isOurs = frames[0]?.includes(OUR_CODE) ?? false
  return isOurs || (code !== null && SYSTEM.test(code)) ? message : null
}

const causesOf = (error: Error): Error[] => {
  const inner: unknown[] = error instanceof AggregateError ? error.errors.slice(0, CAUSES_MAX) : []
  return [error.cause, ...inner].filter((cause) => cause instanceof Error)
}
