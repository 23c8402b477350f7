import { z } from 'zod'
import type { HttpLimits } from './parts.ts'

const CURSOR_MAX = 500

/** The query parameters of a list that comes in pages. */
export const pageQuery = ({ pageSize, pageSizeMax }: Pick<HttpLimits, 'pageSize' | 'pageSizeMax'>) =>
  z.strictObject({
    limit: z
      .string()
      .regex(/^\d{1,6}$/, 'is not a whole number')
      .transform(Number)
      .pipe(z.int().min(1).max(pageSizeMax))
      .default(pageSize),
    cursor: z
      .string()
      .max(CURSOR_MAX)
      .regex(/^[\x21-\x7e]+$/, 'is not a cursor')
      .optional(),
  })

type Given<Query> = { [Key in keyof Query]: Exclude<Query[Key], undefined> }

/** Without the parameters that were not given: the queries' filters know absent, not undefined. */
export const given = <Query extends object>(query: Query): Given<Query> =>
  Object.fromEntries(Object.entries(query).filter(([, value]) => value !== undefined)) as Given<Query>
