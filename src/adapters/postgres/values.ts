/** Object ids of PostgreSQL's built-in types (pg_type.dat) that the two drivers would hand over differently. */
const INT8 = 20
const DATE = 1082
const NUMERIC = 1700

/**
 * How values come out of either driver: int8 as a number (our counters stay far below 2^53), date and numeric as text,
 * json parsed, bytea as bytes, timestamptz as a Date.
 */
export const parsers: Readonly<Record<number, (text: string) => unknown>> = {
  [INT8]: Number,
  [DATE]: (text) => text,
  [NUMERIC]: (text) => text,
}
