import { decodeCursor } from '../cursor.ts'

/** Where a page of a list begins, as the database's functions take it: behind the cursor, newest first. @throws BadCursor */
export const placeOf = (cursor: string | undefined) => {
  const before = decodeCursor(cursor)
  return { p_before: before?.time ?? null, p_before_id: before?.id ?? null }
}
