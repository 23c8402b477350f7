import type { Api } from './lib/api.ts'
import { type Child, h } from './lib/dom.ts'
import { linkTo } from './lib/router.ts'
import { sign } from './lib/sign.ts'

/** A message that nobody could work on, as `GET /v1/dead-letters` has it. */
export interface Letter {
  readonly id: string
  readonly partition: number
  readonly reason: string
  readonly source: string
  readonly size_bytes: number
  readonly attempts: number
  readonly first_seen_at: string
  readonly last_seen_at: string
  readonly state: 'waiting' | 'replayed' | 'discarded'
  readonly replays: number
  readonly last_action: { readonly by: string; readonly at: string; readonly reason: string | null } | null
}

const TONES = { waiting: 'warn', replayed: 'good', discarded: 'queued' } as const

export const stateOf = ({ state }: Pick<Letter, 'state'>): HTMLElement => sign(state, TONES[state])

export const letterLink = ({ id }: Pick<Letter, 'id'>, text: Child): HTMLElement =>
  h('a', { href: linkTo(`/dead-letters/${id}`) }, text)

/** Hands a letter to the worker once more. */
export const replay = (api: Api, id: string, body: { readonly by?: string; readonly force?: boolean }) =>
  api.post<{ readonly outcome: string; readonly letter: Letter }>(`/v1/dead-letters/${id}/replay`, body)
