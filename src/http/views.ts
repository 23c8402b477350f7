import type { Page } from '../projections/page.ts'
import type { SessionView } from '../projections/queries.ts'
import type { ProjectionStatus } from '../projections/store.ts'

/** How things look from outside: JSON in snake_case, as the platform writes it. */
export const sessionJson = (view: SessionView): object => ({
  session_id: view.sessionId,
  state: view.state,
  channel: view.channel,
  tenant: view.tenant,
  request_id: view.requestId,
  attempts: view.attempts,
  image_url: view.imageUrl,
  image_url_expires_at: view.imageUrlExpiresAt,
  failure_code: view.failureCode,
  error_message: view.errorMessage,
  processing_time_ms: view.processingTimeMs,
  cost_usd: view.costUsd,
  created_at: view.createdAt,
  completed_at: view.completedAt,
})

/**
 * @param head the archive's last ordinal, read before the positions were.
 * @param aside the rows that a rebuild computes beside the live ones; null when none runs.
 */
export const projectionJson = (
  status: ProjectionStatus,
  aside: ProjectionStatus | null,
  head: number,
  lagSeconds: number,
): object => ({
  name: status.name,
  position: status.position,
  lag_facts: Math.max(0, head - status.position),
  lag_seconds: lagSeconds,
  set_aside: status.setAside,
  gone: status.gone,
  rebuild: aside && { position: aside.position, target: status.position },
})

export const pageJson = <Item>(page: Page<Item>, json: (item: Item) => object): object => ({
  items: page.items.map(json),
  next: page.next,
})
