import { z } from 'zod'
import { type BookClass, bookClasses } from '../projections/books.ts'
import { ofService, ofTenant } from './access.ts'
import { pageAnswer } from './answer-schemas.ts'
import { LineAnswer, RunAnswer, SummaryAnswer, TotalAnswer } from './answer-schemas-books.ts'
import { exceptionColumns, lineJson, meaningsOf, runJson, summaryJson, totalColumns, totalJson } from './book-views.ts'
import { csvAnswer, wantsCsv } from './csv.ts'
import { given, pageQuery, readPage } from './page.ts'
import type { HttpParts } from './parts.ts'
import { reach } from './problem.ts'
import { type Route, route } from './route.ts'
import { atOneMoment, Format, scopeOf, scopeQuery } from './scope.ts'
import { pageJson } from './views.ts'

/** All books of a million sessions take seconds; a day's, a store's or a session's do not. */
const BOOKS_MS = 60_000

/** Do the books balance? The summary, every exception with its name, the totals, and how it was over time. */
export const reconciliationRoutes = (parts: HttpParts): Route[] => [
  route({
    method: 'get',
    path: '/v1/reconciliation',
    title: 'Do the books balance?',
    answer: SummaryAnswer,
    access: ofTenant('finance'),
    query: z.strictObject({ ...scopeQuery, format: Format.optional() }),
    timeoutMs: BOOKS_MS,
    handle: async ({ query: { format, ...query }, headers, caller }) => {
      const nowMs = parts.env.clock.now()
      const scope = scopeOf(query, caller, nowMs)
      if (wantsCsv(format, headers)) {
        const whole = atOneMoment(scope, nowMs)
        return csvAnswer('reconciliation', totalColumns, (page) => parts.queries.bookTotals({ ...whole, ...page }))
      }
      const summary = await reach(parts.queries.reconciliation(scope))
      return { status: 200, body: { ...summaryJson(summary), meanings: meaningsOf(summary) } }
    },
  }),
  route({
    method: 'get',
    path: '/v1/reconciliation/exceptions',
    title: 'What does not match, by name',
    answer: pageAnswer(LineAnswer),
    access: ofTenant('finance'),
    query: pageQuery(parts.limits).extend({
      ...scopeQuery,
      class: z.enum(Object.keys(bookClasses) as BookClass[]).optional(),
      format: Format.optional(),
    }),
    timeoutMs: BOOKS_MS,
    handle: async ({ query: { format, class: name, limit, cursor, ...query }, headers, caller }) => {
      const nowMs = parts.env.clock.now()
      const filter = { ...scopeOf(query, caller, nowMs), ...(name && { class: name }) }
      if (wantsCsv(format, headers)) {
        const whole = { ...filter, ...atOneMoment(filter, nowMs) }
        return csvAnswer('exceptions', exceptionColumns, (page) => parts.queries.bookLines({ ...whole, ...page }))
      }
      const page = parts.queries.bookLines({ ...filter, ...given({ limit, cursor }) })
      return { status: 200, body: pageJson(await readPage(page), lineJson) }
    },
  }),
  route({
    method: 'get',
    path: '/v1/reconciliation/totals',
    title: 'Totals per day, channel and owner',
    answer: pageAnswer(TotalAnswer),
    access: ofTenant('finance'),
    query: pageQuery(parts.limits).extend(scopeQuery),
    timeoutMs: BOOKS_MS,
    handle: async ({ query: { limit, cursor, ...query }, caller }) => {
      const scope = scopeOf(query, caller, parts.env.clock.now())
      const page = parts.queries.bookTotals({ ...scope, ...given({ limit, cursor }) })
      return { status: 200, body: pageJson(await readPage(page), totalJson) }
    },
  }),
  route({
    method: 'get',
    path: '/v1/reconciliation/runs',
    title: 'How the books stood over time',
    answer: pageAnswer(RunAnswer),
    access: ofService('finance'),
    query: pageQuery(parts.limits),
    handle: async ({ query }) => ({
      status: 200,
      body: pageJson(await readPage(parts.queries.reconciliationRuns(given(query))), runJson),
    }),
  }),
]
