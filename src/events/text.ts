import { z } from 'zod'

const storable = (text: string): boolean => !text.includes('\0') && text.isWellFormed()

/** Text of at most `max` UTF-16 units that every store can keep: PostgreSQL refuses NUL and lone surrogates. */
export const text = (max: number) =>
  z.string().max(max).refine(storable, { error: 'has a NUL character or half of a surrogate pair' })

/** The beginning of whatever was said, as `text(max)` takes it: a cut may go through a surrogate pair. */
export const clipped = (said: string, max: number): string => said.slice(0, max).replaceAll('\0', '').toWellFormed()

/** ISO 8601 date-time with a time zone. */
export const Time = z.iso.datetime({ offset: true })

let latest = { ms: 0, text: '1970-01-01T00:00:00.000Z' }

/** Milliseconds since the epoch as ISO 8601 in UTC. Remembers the last one: the sessions of one step ask for the same. */
export const isoTime = (ms: number): string => {
  if (ms !== latest.ms) latest = { ms, text: new Date(ms).toISOString() }
  return latest.text
}
