import { BadCursor } from '../../projections/queries.ts'

/** A place in a list that is ordered by time and id, newest first: opaque to whoever hands it back. */
export interface Cursor {
  readonly time: string
  readonly id: string
}

export const encodeCursor = ({ time, id }: Cursor): string => Buffer.from(`${time}|${id}`).toString('base64url')

/** @throws BadCursor */
export const decodeCursor = (cursor: string | undefined): Cursor | null => {
  if (cursor === undefined) return null
  const [time = '', id = '', ...rest] = Buffer.from(cursor, 'base64url').toString().split('|')
  const readable =
    rest.length === 0 && !Number.isNaN(Date.parse(time)) && /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(id)
  if (!readable) throw new BadCursor('the cursor was not handed out here')
  return { time, id }
}
