import { z } from 'zod'
import { type Call, parameters } from './route.ts'

const Position = z
  .string()
  .regex(/^\d{1,15}$/, 'is not a whole number')
  .transform(Number)
/** Where to go on from: the browser's header on a reconnect, or a parameter for the first time. */
export const ResumeQuery = z.strictObject({ after: Position.optional() })
export type ResumeQuery = z.infer<typeof ResumeQuery>

/** Where the client wants to go on: a reconnect's header is newer than the parameter of the first request. */
export const resumePoint = ({ headers, query }: Call<unknown, ResumeQuery>): number | null => {
  const header = headers['last-event-id']
  if (header === undefined || header === '') return query.after ?? null
  return parameters(z.object({ 'Last-Event-ID': Position }), { 'Last-Event-ID': header })['Last-Event-ID']
}
