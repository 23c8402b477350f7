/** No answer at the start: nobody listens there, or we are not let in. */
export class RedisUnreachable extends Error {
  override readonly name = 'RedisUnreachable'

  constructor(host: string, cause: Error) {
    super(`Redis at ${host} does not answer (${cause.message}): see to REDIS_URL`, { cause })
  }
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

const isReply = (error: unknown): error is Error => error instanceof Error && error.name === 'ReplyError'

/** Whether the server refused what it was asked, as it would every repeat. */
export const isCallsFault = (error: unknown): boolean => isReply(error) && !TEMPORARY.test(error.message)

/** Our scripts' word for a log that is gone becomes the error; every other one stays as it is. */
export const inOurWords = (error: unknown): unknown =>
  isReply(error) && /^(ERR )?NOLOG\b/.test(error.message) ? new LogGone() : error
