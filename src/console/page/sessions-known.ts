import { h } from './lib/dom.ts'
import { linkTo } from './lib/router.ts'
import { sign } from './lib/sign.ts'

/** The state as the API's lists have it: the first part of the machine's. */
export const STATES = ['queued', 'processing', 'completed', 'failed', 'refunded'] as const
export type SessionState = (typeof STATES)[number]

/** A session as /v1/generations has it. */
export interface Session {
  readonly session_id: string
  readonly state: SessionState
  readonly channel: 'b2c' | 'b2b' | null
  readonly tenant: string | null
  readonly request_id: string | null
  readonly attempts: number
  readonly image_url: string | null
  readonly failure_code: string | null
  readonly error_message: string | null
  readonly processing_time_ms: number | null
  readonly cost_usd: number | null
  readonly created_at: string | null
  readonly completed_at: string | null
}

export const stateSign = (state: SessionState): HTMLElement => sign(state, state)

export const sessionLink = (id: string): HTMLElement => h('a', { class: 'code', href: linkTo(`/sessions/${id}`) }, id)

/** `$0.2066`; a dash where nothing was paid. */
export const dollars = (usd: number | null): string => (usd === null ? '–' : `$${usd.toFixed(4)}`)
