import { z } from 'zod'

const storable = (text: string): boolean => !text.includes('\0') && text.isWellFormed()

/** Text of at most `max` UTF-16 units that every store can keep: PostgreSQL refuses NUL and lone surrogates. */
export const text = (max: number) =>
  z.string().max(max).refine(storable, { error: 'has a NUL character or half of a surrogate pair' })

/** ISO 8601 date-time with a time zone. */
export const Time = z.iso.datetime({ offset: true })

/** Milliseconds since the epoch as ISO 8601 in UTC. */
export const isoTime = (ms: number): string => new Date(ms).toISOString()
