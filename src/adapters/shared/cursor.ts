import { BadCursor, type Page } from '../../projections/page.ts'

/** A place in a list that is ordered by time and id, newest first: opaque to whoever hands it back. */
export interface Cursor {
  readonly time: string
  readonly id: string
}

export const encodeCursor = ({ time, id }: Cursor): string => Buffer.from(`${time}|${id}`).toString('base64url')

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

/** `ids`: what the ids in the list look like. @throws BadCursor */
export const decodeCursor = (cursor: string | undefined, ids = UUID): Cursor | null => {
  if (cursor === undefined) return null
  const [time = '', id = '', ...rest] = Buffer.from(cursor, 'base64url').toString().split('|')
  const readable = rest.length === 0 && !Number.isNaN(Date.parse(time)) && ids.test(id)
  if (!readable) throw new BadCursor('the cursor was not handed out here')
  return { time, id }
}

/** A page of rows of which one more than wanted was asked for: it says that there is a next page. */
export const pageOf = <Row, View>(
  rows: readonly Row[],
  limit: number,
  view: (row: Row) => View,
  place: (row: Row) => Cursor,
): Page<View> => {
  const items = rows.slice(0, limit)
  const last = items.at(-1)
  return { items: items.map(view), next: rows.length > limit && last ? encodeCursor(place(last)) : null }
}
