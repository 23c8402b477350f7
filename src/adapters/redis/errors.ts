/** No answer at the start: nobody listens there, or one side does not trust the other. */
export class RedisUnreachable extends Error {
  override readonly name = 'RedisUnreachable'

  constructor(host: string, cause: Error) {
    super(`Redis at ${host} ${reasonOf(cause)}`, { cause })
  }
}

/** OpenSSL's words for a chain of certificates that ends in nobody whom this process trusts. */
const UNTRUSTED = /SELF_SIGNED|UNABLE_TO_(GET|VERIFY)|CERT_UNTRUSTED/

/** What is wrong, and what an operator does about it. */
const reasonOf = ({ message, code = '' }: Error & { readonly code?: string }): string => {
  if (UNTRUSTED.test(code))
    return `shows a certificate that is not trusted (${message}): name the file of its authority in NODE_EXTRA_CA_CERTS`
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID')
    return `shows a certificate for another name (${message}): REDIS_URL must have the name for which it was made`
  if (code.startsWith('CERT_')) return `shows a certificate that is not valid (${message}): have it renewed`
  if (code === 'ECONNRESET' || code === 'EPIPE')
    return `ends the connection (${message}): where it speaks TLS, REDIS_URL begins with rediss://`
  if (/^(WRONGPASS|NOAUTH|NOPERM)\b/.test(message))
    return `does not let us in (${message}): see to the user and password in REDIS_URL`
  return `does not answer (${message}): see to REDIS_URL`
}

/** The log's own record is gone or another one's: flushed, failed over to an empty server, restored. */
export class LogGone extends Error {
  override readonly name = 'LogGone'

  constructor() {
    super('the log in Redis is gone or was replaced: restart to see what is there, then repair it from the archive')
  }
}

/** Answers that say nothing about what was asked: the server starts, fails over or is full. */
const TEMPORARY = /^(LOADING|READONLY|CLUSTERDOWN|TRYAGAIN|MOVED|ASK|BUSY|MASTERDOWN|NOREPLICAS|MISCONF|OOM)\b/

/** The user may not run the command. */
export const isNotPermitted = (error: unknown): boolean => isReply(error) && error.message.startsWith('NOPERM')

const isReply = (error: unknown): error is Error => error instanceof Error && error.name === 'ReplyError'

/** Whether the server refused what it was asked, as it would every repeat. */
export const isCallsFault = (error: unknown): boolean => isReply(error) && !TEMPORARY.test(error.message)

/** Our scripts' word for a log that is gone becomes the error; every other one stays as it is. */
export const inOurWords = (error: unknown): unknown =>
  isReply(error) && /^(ERR )?NOLOG\b/.test(error.message) ? new LogGone() : error
