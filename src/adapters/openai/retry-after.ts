/**
 * How long an answer asks to wait, in ms: `retry-after-ms`, or `Retry-After` in seconds or as a date (RFC 9110, 10.2.3).
 * However long it is; null when it does not say, or says what cannot be read.
 * @param nowMs our own time, for a date in an answer that carries no `Date` of its own: the provider's clock counts.
 */
export const retryAfterMs = (headers: Headers, nowMs: number): number | null => {
  const ms = numberOf(headers.get('retry-after-ms'))
  if (ms !== null) return Math.ceil(ms)
  const text = headers.get('retry-after')
  const seconds = numberOf(text)
  if (seconds !== null) return Math.ceil(seconds * 1_000)
  const until = dateOf(text)
  return until === null ? null : Math.max(0, until - (dateOf(headers.get('date')) ?? nowMs))
}

const numberOf = (text: string | null): number | null =>
  text !== null && /^\d{1,9}(?:\.\d{1,9})?$/.test(text) ? Number(text) : null

/** All three forms of a date begin with the day of the week; what else the engine would read as one is none. */
const dateOf = (text: string | null): number | null => {
  const ms = /^[A-Z][a-z]{2,8},? /.test(text ?? '') ? Date.parse(text ?? '') : Number.NaN
  return Number.isNaN(ms) ? null : ms
}
