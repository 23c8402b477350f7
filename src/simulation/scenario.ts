import type { FailureCode } from '../events/codes.ts'
import { SessionId, StoreId, UserId } from '../events/ids.ts'
import type { Owner } from '../events/owner.ts'
import type { Scheduler } from './scheduler.ts'

/** What the provider does at one try: makes the image, says no, never answers, answers too late, or kills the process. */
export type ProviderAct =
  | { readonly kind: 'image'; readonly ms: number }
  | { readonly kind: 'no'; readonly code: FailureCode; readonly retryAfterMs?: number }
  | { readonly kind: 'hang' }
  | { readonly kind: 'late' }
  | { readonly kind: 'kill' }

/** What the platform does to a session's row behind our back. */
export type PlatformAct = 'failed_push' | 'stuck_job' | 'uninstall' | null

export interface PlannedSession {
  readonly id: SessionId
  readonly owner: Owner
  readonly charged: boolean
  /** One act per try; the last one repeats. */
  readonly acts: readonly ProviderAct[]
  /** How often the producer pushes it, and whether one of these is broken. */
  readonly pushes: number
  readonly malformed: boolean
  readonly withTime: boolean
  readonly cancelAfterMs: number | null
  readonly platform: PlatformAct
  readonly publishAtMs: number
}

const image = (scheduler: Scheduler): ProviderAct => ({ kind: 'image', ms: scheduler.between(500, 20_000) })

const acts = (scheduler: Scheduler): readonly ProviderAct[] => {
  const good = image(scheduler)
  const roll = scheduler.random()
  if (roll < 0.5) return [good]
  if (roll < 0.6) return [{ kind: 'no', code: 'moderation_blocked' }]
  if (roll < 0.68) return [{ kind: 'no', code: 'rate_limited', retryAfterMs: scheduler.between(0, 60_000) }, good]
  if (roll < 0.74) return [{ kind: 'no', code: 'rate_limited' }]
  if (roll < 0.8)
    return [{ kind: 'no', code: 'provider_unavailable' }, { kind: 'no', code: 'provider_unavailable' }, good]
  if (roll < 0.84) return [{ kind: 'no', code: 'provider_unavailable' }]
  if (roll < 0.89) return [{ kind: 'hang' }, good]
  if (roll < 0.96) return [{ kind: 'late' }, good]
  return [{ kind: 'kill' }]
}

/** The sessions of one run: who pays, what the provider and the platform do, what goes wrong at the producer. */
export const plan = (scheduler: Scheduler, count: number): PlannedSession[] => {
  const users = [1, 2, 3].map(() => UserId.parse(uuid(scheduler)))
  const stores = [1, 2].map(() => StoreId.parse(uuid(scheduler)))
  return Array.from({ length: count }, () => {
    const owner: Owner = scheduler.chance(0.5)
      ? { channel: 'b2c', userId: scheduler.pick(users) }
      : { channel: 'b2b', storeId: scheduler.pick(stores) }
    const platformActs: readonly PlatformAct[] =
      owner.channel === 'b2c' ? ['failed_push', 'stuck_job'] : ['failed_push', 'uninstall']
    return {
      id: SessionId.parse(uuid(scheduler)),
      owner,
      charged: scheduler.chance(0.95),
      acts: acts(scheduler),
      pushes: scheduler.chance(0.3) ? 2 + Math.floor(scheduler.random() * 3) : 1,
      malformed: scheduler.chance(0.05),
      withTime: scheduler.chance(0.8),
      cancelAfterMs: scheduler.chance(0.1) ? scheduler.between(0, 40_000) : null,
      platform: scheduler.chance(0.12) ? scheduler.pick(platformActs) : null,
      publishAtMs: scheduler.between(0, 120_000),
    }
  })
}

const uuid = (scheduler: Scheduler): string => {
  const hex = Array.from({ length: 32 }, () => Math.floor(scheduler.random() * 16).toString(16)).join('')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20)}`
}
