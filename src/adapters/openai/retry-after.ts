/**
 * How long an answer asks to wait, in ms: `retry-after-ms`, or `Retry-After` in seconds or as a date (RFC 9110, 10.2.3).
 * However long it is; null when it does not say, or says what cannot be read.
 * @param nowMs our own time, for a date in an answer that carries no `Date` of its own: the provider's clock counts.
 */
export const retryAfterMs = (headers: Headers, nowMs: number): number | null => {
  const ms = numberOf(headers.get('retry-after-ms'))
  if (ms !== null) return ms
  const text = headers.get('retry-after')
  const seconds = numberOf(text)
  if (seconds !== null) return seconds * 1_000
  const until = Date.parse(text ?? '')
  if (Number.isNaN(until)) return null
  const since = Date.parse(headers.get('date') ?? '')
  return Math.max(0, until - (Number.isNaN(since) ? nowMs : since))
}

const numberOf = (text: string | null): number | null =>
  text !== null && /^\s*\d{1,9}(?:\.\d{1,9})?\s*$/.test(text) ? Math.ceil(Number(text)) : null
