import { z } from 'zod'
import { text } from '../events/text.ts'
import type { AuditEntry } from '../projections/api-keys.ts'
import { ofService } from './access.ts'
import { given, pageQuery, readPage } from './page.ts'
import type { HttpParts } from './parts.ts'
import { type Route, route } from './route.ts'
import { pageJson } from './views.ts'

const ACTION_MAX = 100
const TARGET_MAX = 300

export const AuditAnswer = z.strictObject({
  id: z.string(),
  at: z.string(),
  actor: z.string(),
  key_id: z.string().nullable(),
  action: z.string(),
  target: z.string().nullable(),
  request_id: z.string(),
  detail: z.record(z.string(), z.unknown()),
  outcome: z.string().nullable(),
})

/** Who did what. */
export const auditRoutes = (parts: HttpParts): Route[] => [
  route({
    method: 'get',
    path: '/v1/audit',
    title: 'What operators asked for, the newest first',
    access: ofService('operate'),
    query: pageQuery(parts.limits).extend({
      action: text(ACTION_MAX).min(1).optional(),
      target: text(TARGET_MAX).min(1).optional(),
    }),
    answer: z.strictObject({ items: z.array(AuditAnswer), next: z.string().nullable() }),
    handle: async ({ query }) => ({
      status: 200,
      body: pageJson(await readPage(parts.audit.list(given(query))), entryJson),
    }),
  }),
]

const entryJson = ({ keyId, requestId, ...entry }: AuditEntry): z.infer<typeof AuditAnswer> => ({
  ...entry,
  detail: { ...entry.detail },
  key_id: keyId,
  request_id: requestId,
})
