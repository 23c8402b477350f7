/**
 * Calls one of the database's functions `public.wearon_*` by name, with named arguments; objects and arrays go in as JSON.
 * One call is one transaction. @throws Refused when the database answered and rolled back; any other error leaves the
 * outcome unknown.
 */
export type CallFunction = (name: string, args: Readonly<Record<string, unknown>>) => Promise<unknown>

/** The database said no, and nothing of the call happened. */
export class Refused extends Error {
  override readonly name = 'Refused'
  /** SQLSTATE, five characters. */
  readonly code: string

  /** The platform's functions speak of people by their addresses, and what is said here ends in facts and logs. */
  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message.replaceAll(/\S+@\S+/g, '<address>'), options)
    this.code = code
  }
}

/** Classes of SQLSTATE after which it is open whether the call happened: connection, operator, system, internal error. */
const UNKNOWN_OUTCOME = new Set(['08', '57', '58', 'XX'])

/** True for the SQLSTATE of an answer that rolled the call back; other drivers' codes (`EPIPE`) are none. */
export const isRefusal = (code: unknown): code is string =>
  typeof code === 'string' && /^(?:\d[0-9A-Z]{4}|P0\d{3})$/.test(code) && !UNKNOWN_OUTCOME.has(code.slice(0, 2))

/** Data that the database cannot take, or a constraint that it breaks: sending it again changes nothing. */
export const isAboutData = (error: unknown): error is Refused =>
  error instanceof Refused && ['22', '23'].includes(error.code.slice(0, 2))
