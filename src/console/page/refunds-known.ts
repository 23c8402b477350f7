import { type Child, h } from './lib/dom.ts'
import { linkTo } from './lib/router.ts'
import { sign } from './lib/sign.ts'
import { idText, orDash } from './lib/terms.ts'

export const REFUND_STATES = ['owed', 'escalated', 'issued', 'settled', 'waived'] as const

/** A refund as `GET /v1/refunds` has it; times are ISO 8601, UTC. */
export interface Refund {
  readonly session_id: string
  readonly channel: 'b2b' | 'b2c' | null
  readonly owner_id: string | null
  readonly request_id: string | null
  readonly state: (typeof REFUND_STATES)[number]
  readonly payer: { readonly kind: string; readonly id: string; readonly email?: string } | null
  readonly credits: number | null
  readonly since: string
  readonly tries: number
  readonly last_error: string | null
  readonly ledger_record: string | null
  readonly how: string | null
  readonly waiver_reason: string | null
  readonly settled_at: string | null
  readonly settlement: { readonly by: string; readonly how: string; readonly why: string } | null
}

const TONES = { owed: 'warn', escalated: 'bad', issued: 'good', settled: 'refunded', waived: 'queued' } as const

export const stateOf = ({ state }: Pick<Refund, 'state'>): HTMLElement => sign(state, TONES[state])

/** Somebody waits for it. */
export const isOwed = ({ state }: Pick<Refund, 'state'>): boolean => state === 'owed' || state === 'escalated'

/** Who paid, in a list. */
export const payerText = ({ payer }: Pick<Refund, 'payer'>): Child =>
  orDash(payer && [payer.kind, ' ', payer.email ?? idText(payer.id)])

/** Who paid, as finance looks for them. */
export const payerOf = ({ payer }: Pick<Refund, 'payer'>): string | null =>
  payer && `${payer.kind} ${payer.email ?? payer.id}`

/** What became of it, in words. */
export const endOf = ({ how, waiver_reason: waived, settlement }: Refund): string | null =>
  (settlement && words(settlement.how)) ?? (waived && words(waived)) ?? (how && HOW[how]) ?? null

const HOW: Readonly<Record<string, string>> = { paid: 'paid by us', found: 'found given back' }

export const words = (code: string): string => code.replaceAll('_', ' ')

export const refundLink = (id: string): HTMLElement => h('a', { class: 'code', href: linkTo(`/refunds/${id}`) }, id)
