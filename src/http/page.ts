import { z } from 'zod'
import { BadCursor, type Page } from '../projections/page.ts'
import type { HttpLimits } from './parts.ts'
import { Problem, reach } from './problem.ts'

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

/** Awaits a page of the queries. @throws Problem; a cursor that they did not hand out is the client's fault. */
export const readPage = <Item>(page: Promise<Page<Item>>): Promise<Page<Item>> =>
  reach(
    page.catch((error: unknown) => {
      if (!(error instanceof BadCursor)) throw error
      throw new Problem('invalid_request', { faults: [{ detail: 'cursor: was not handed out here' }] })
    }),
  )
