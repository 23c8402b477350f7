import type { Page } from '../../projections/page.ts'
import { type Cursor, decodeCursor, pageOf } from '../shared/cursor.ts'

/** A page of rows that are ordered by time and id, the newest first. */
export const newestFirst = <Row>(
  rows: readonly { readonly row: Row; readonly place: Cursor }[],
  cursor: string | undefined,
  limit: number,
): Page<Row> => {
  const after = decodeCursor(cursor)
  const rest = rows
    .toSorted((a, b) => compare(b.place, a.place))
    .filter(({ place }) => after === null || compare(place, after) < 0)
  return pageOf(
    rest,
    limit,
    ({ row }) => row,
    ({ place }) => place,
  )
}

const compare = (a: Cursor, b: Cursor): number =>
  Date.parse(a.time) - Date.parse(b.time) || (a.id < b.id ? -1 : Number(a.id > b.id))
