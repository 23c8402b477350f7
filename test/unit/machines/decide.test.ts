import { describe, expect, it } from 'vitest'
import { type FailureCode, failures } from '../../../src/events/codes.ts'
import type { Command } from '../../../src/events/command.ts'
import type { NewFact } from '../../../src/events/fact.ts'
import type { Sender } from '../../../src/events/generation.ts'
import type { Input } from '../../../src/machines/decision.ts'
import { backoffMs, defaultPolicy } from '../../../src/machines/policy.ts'
import type { RefundOutcome } from '../../../src/machines/ports/platform.ts'
import {
  approved,
  cancelled,
  completed,
  deferred,
  escalated,
  failed,
  imported,
  issued,
  operator,
  refundRequested,
  rejected,
  requested,
  result,
  retrying,
  runtime,
  START_MS,
  sessionId,
  settled,
  settlementRequested,
  started,
  store,
  tenant,
  user,
  waived,
  withdrawn,
} from '../../support/facts.ts'
import { given } from '../../support/given.ts'

const SECOND_MS = 1_000
const HOUR_MS = 3_600_000
const codes = Object.keys(failures) as FailureCode[]

const asks = (command: Command): Input => ({ kind: 'command', command })
const slot: Input = { kind: 'slot' }
const timer: Input = { kind: 'timer' }

const task = (): Input => {
  const { imageUrls, prompt, taskId } = requested().data as Extract<NewFact, { type: 'generation.requested' }>['data']
  const body = { owner: store, imageUrls, prompt, taskId, sessionId, requestId: 'req_1', createdAt: null }
  return asks({ command: 'generation.request', sessionId, task: body, source: 'inbox' })
}
const badTask = (...issues: string[]) => asks({ command: 'generation.reject', sessionId, issues })
const cancel = (by: Sender = operator) => asks({ command: 'generation.cancel', sessionId, by })
const retryRefund = (by: Sender = operator) => asks({ command: 'refund.retry', sessionId, by })

const settle = (by: Sender = operator) =>
  asks({ command: 'refund.settle', sessionId, by, how: 'paid_outside', why: 'the shopper has no balance' })

const fails = (code: FailureCode, attempt = 1, retryAfterMs?: number): Input => {
  const noImage = { code, detail: 'as told', ...(retryAfterMs === undefined ? {} : { retryAfterMs }) }
  return { kind: 'generated', attempt, outcome: { kind: 'failed', ...noImage } }
}
const succeeds = (attempt = 1): Input => ({ kind: 'generated', attempt, outcome: { kind: 'completed', result } })
const isWithdrawn: Input = {
  kind: 'generated',
  attempt: 1,
  outcome: { kind: 'withdrawn', why: 'row_failed', detail: 'as told' },
}
const refund = (outcome: RefundOutcome): Input => ({ kind: 'refunded', outcome })
const ledgerFails = refund({ kind: 'error', detail: 'as told' })

const queued = [requested()]
const processing = [requested(), started()]
const owed = [...processing, failed('moderation_blocked'), refundRequested()]
const wasEscalated = [...owed, escalated(7, START_MS)]
const ends = {
  completed: [...processing, completed()],
  refunded: [...owed, issued()],
  settled: [...owed, waived()],
  imported: [imported('failed')],
}

describe('a task', () => {
  it('opens a session', () => given().when(task()).then(requested()))

  it.each(Object.entries({ queued, processing, owed, ...ends }))(
    'changes nothing for a %s session: its machine refuses a second request',
    (_, facts) =>
      given(...facts)
        .when(task())
        .thenRefusedByMachine(),
  )

  it('that is bad fails a session that nobody knows, and gives its credit back', () =>
    given().when(badTask('image_urls: none')).then(rejected('image_urls: none'), refundRequested()))

  it.each(Object.entries({ queued, processing, owed, ...ends }))(
    'that is bad does not touch a %s session',
    (_, facts) =>
      given(...facts)
        .when(badTask('image_urls: none'))
        .thenRefused(/known session: image_urls: none/),
  )
})

describe('cancelling', () => {
  it.each([
    ['its own tenant', tenant(store)],
    ['an operator', operator],
    ['the runtime', runtime],
  ])('is open to %s', (_, by) => {
    given(...queued)
      .when(cancel(by))
      .then(cancelled(by), refundRequested())
    given(...processing)
      .when(cancel(by))
      .then(cancelled(by), refundRequested())
  })

  it('is not open to another tenant', () =>
    given(...queued)
      .when(cancel(tenant(user)))
      .thenRefused(/no say/))

  it('of a rejected task, which has no owner, is not open to any tenant', () =>
    given(rejected('x'), refundRequested())
      .when(cancel(tenant(store)))
      .thenRefused(/no say/))

  it('needs a session', () =>
    given()
      .when(cancel())
      .thenRefused(/not known/))

  it.each(Object.entries({ owed, ...ends }))('comes too late for a %s session', (_, facts) =>
    given(...facts)
      .when(cancel())
      .thenIgnored('too_late'),
  )
})

describe('a free slot', () => {
  it('starts the first try, with a deadline', () =>
    given(...queued)
      .when(slot)
      .then(started(1, START_MS + defaultPolicy.tryTimeoutMs)))

  it('starts the next try of a session whose process is gone', () =>
    given(...processing)
      .when(slot)
      .then(started(2, START_MS + defaultPolicy.tryTimeoutMs)))

  it('starts nothing after five tries that never ended: the session is the suspect', () => {
    const tries = [1, 2, 3, 4, 5].map((attempt) => started(attempt))
    given(requested(), ...tries.slice(0, 4))
      .when(slot)
      .then(started(5, START_MS + defaultPolicy.tryTimeoutMs))
    given(requested(), ...tries)
      .when(slot)
      .then(failed('crashed', 5, '5 tries began and never ended'), refundRequested())
  })

  it('does not suspect a session whose tries all ended', () => {
    const rounds = [1, 2, 3, 4, 5, 6].flatMap((attempt) => [started(attempt), deferred('internal', attempt, START_MS)])
    given(requested(), ...rounds)
      .when(slot)
      .then(started(7, START_MS + defaultPolicy.tryTimeoutMs))
  })

  it('is too late for a session that waited an hour', () => {
    given(...queued)
      .after(HOUR_MS - 1)
      .when(slot)
      .then(started(1, START_MS + HOUR_MS - 1 + defaultPolicy.tryTimeoutMs))
    given(...queued)
      .after(HOUR_MS)
      .when(slot)
      .then(failed('expired', 0, ''), refundRequested())
  })

  it('still serves a session that was taken up in time', () =>
    given(...processing)
      .after(HOUR_MS)
      .when(slot)
      .then(started(2, START_MS + HOUR_MS + defaultPolicy.tryTimeoutMs)))

  it.each(Object.entries({ owed, ...ends }))('is not for a %s session', (_, facts) =>
    given(...facts)
      .when(slot)
      .thenIgnored('too_late'),
  )
})

describe('a timer', () => {
  it('fails a session that waited too long', () =>
    given(...queued)
      .after(HOUR_MS)
      .when(timer)
      .then(failed('expired', 0, ''), refundRequested()))

  it('fails one that waited too long for its retry', () =>
    given(...processing, deferred('rate_limited', 1, START_MS + 2 * HOUR_MS))
      .after(HOUR_MS)
      .when(timer)
      .then(failed('expired', 1, ''), refundRequested()))

  it('changes nothing before', () =>
    given(...queued)
      .after(HOUR_MS - 1)
      .when(timer)
      .thenNothing())

  it.each(Object.entries({ processing, owed, ...ends }))('changes nothing in a %s session', (_, facts) =>
    given(...facts)
      .after(2 * HOUR_MS)
      .when(timer)
      .thenNothing(),
  )
})

describe('a try that ends', () => {
  it('well completes the session', () =>
    given(...processing)
      .when(succeeds())
      .then(completed()))

  it('as withdrawn fails the session, and its credit is looked at', () =>
    given(...processing)
      .when(isWithdrawn)
      .then(withdrawn(), refundRequested()))

  it('late, after its session was taken over, brings nothing that the machine accepts', () => {
    const takenOver = given(...processing, started(2))
    expect(() => takenOver.when(succeeds(1)).then(completed(1))).toThrow(/is accepted in processing/)
    expect(() => takenOver.when(fails('internal', 1)).then(deferred('internal', 1, START_MS + 1_500))).toThrow(
      /accepted/,
    )
  })
})

const outages = ['storage_failed', 'platform_unavailable', 'provider_paused'] as const

/** How often the platform's contract has each failure tried again, with the policy that is the default. */
const retries: Record<Exclude<FailureCode, (typeof outages)[number]>, number> = {
  moderation_blocked: 0,
  input_rejected: 0,
  input_unavailable: 3,
  rate_limited: 1,
  quota_exhausted: 0,
  provider_rejected: 0,
  provider_malformed: 0,
  provider_unavailable: 3,
  outcome_unknown: 1,
  internal: 3,
  crashed: 0,
  expired: 0,
  invalid_task: 0,
  task_lost: 0,
  cancelled: 0,
  withdrawn: 0,
}

/** The session after a code came back this often, each time put off and tried again. */
const afterRetries = (code: FailureCode, times: number) => {
  const tries = Array.from({ length: times }, (_, index) => [started(index + 1), deferred(code, index + 1, START_MS)])
  return given(requested(), ...tries.flat(), started(times + 1))
}

describe('a failure', () => {
  it.each(Object.entries(retries) as [FailureCode, number][])(
    'of code %s is retried %i times, then fails and is refunded',
    (code, times) => {
      for (let earlier = 0; earlier < times; earlier++) {
        const { decision } = afterRetries(code, earlier).when(fails(code, earlier + 1))
        expect(decision).toMatchObject({
          facts: [{ type: 'generation.deferred', data: { attempt: earlier + 1, code } }],
        })
      }
      afterRetries(code, times)
        .when(fails(code, times + 1))
        .then(failed(code, times + 1), refundRequested())
    },
  )

  it.each(codes)('of code %s is told to the person in words of ours', (code) => {
    const { message } = failures[code]
    expect(message).toMatch(/^[A-Z].*\.$/)
    expect(message).not.toMatch(/as told|undefined|http/)
  })

  it.each(outages)(
    'of code %s is waited out for an hour, however many tries that takes, and uses up no other retry',
    (code) => {
      const outage = afterRetries(code, 50)
      outage
        .after(HOUR_MS - 1)
        .when(fails(code, 51))
        .then(deferred(code, 51, START_MS + HOUR_MS - 1 + 45_000))
      outage.after(HOUR_MS).when(fails(code, 51)).then(failed(code, 51), refundRequested())
      outage.when(fails('outcome_unknown', 51)).then(deferred('outcome_unknown', 51, START_MS + 1_500))
    },
  )

  it('of one kind does not use up the retries of another', () =>
    given(requested(), started(1), deferred('rate_limited', 1, START_MS), started(2))
      .when(fails('outcome_unknown', 2))
      .then(deferred('outcome_unknown', 2, START_MS + 1_500)))

  it('of one kind shares its retries with its like', () => {
    const three = [1, 2, 3].flatMap((attempt) => [
      started(attempt),
      deferred('provider_unavailable', attempt, START_MS),
    ])
    given(requested(), ...three, started(4))
      .when(fails('internal', 4))
      .then(failed('internal', 4), refundRequested())
  })

  it('is retried as often as the operators want', () =>
    given(...processing)
      .policy({ retries: { transient: 0, rate_limited: 0, unknown: 0 } })
      .when(fails('provider_unavailable'))
      .then(failed('provider_unavailable'), refundRequested()))
})

describe('the wait before a retry', () => {
  const waitAfter = (input: Input, random = 0.5): number => {
    const { decision } = given(...processing)
      .random(random)
      .when(input)
    const [fact] = 'facts' in decision ? decision.facts : []
    return fact?.type === 'generation.deferred' ? Date.parse(fact.data.retryAt) - START_MS : Number.NaN
  }

  it.each([
    ['no Retry-After: 10 s', undefined, 10 * SECOND_MS],
    ['a Retry-After of half a minute', 30 * SECOND_MS, 30 * SECOND_MS],
    ['a Retry-After of 50 minutes', 50 * 60 * SECOND_MS, 50 * 60 * SECOND_MS],
  ])('of a rate limit with %s', (_, retryAfterMs, waitMs) => {
    expect(waitAfter(fails('rate_limited', 1, retryAfterMs))).toBe(waitMs)
  })

  it('honours the Retry-After of any failure', () =>
    expect(waitAfter(fails('provider_unavailable', 1, 120 * SECOND_MS))).toBe(120 * SECOND_MS))

  it('of a Retry-After beyond all sense ends when the session expires', () => {
    for (const wait of [Number.MAX_SAFE_INTEGER, Number.POSITIVE_INFINITY]) {
      expect(waitAfter(fails('rate_limited', 1, wait))).toBe(HOUR_MS)
    }
  })

  it('is not shorter than our own for a Retry-After that is short or negative', () => {
    expect(waitAfter(fails('provider_unavailable', 1, 1), 0)).toBe(1_000)
    expect(waitAfter(fails('provider_unavailable', 1, -5), 0)).toBe(1_000)
  })

  it.each([
    [0, 1_000, 2_000],
    [1, 2_000, 4_000],
    [4, 16_000, 32_000],
    [5, 30_000, 60_000],
    [1_000, 30_000, 60_000],
  ])('grows with each try (%i before) between bounds', (tries, leastMs, mostMs) => {
    const waits = [0, 0.5, 0.999_999].map((random) => backoffMs(defaultPolicy.backoff, tries, random))
    expect(waits[0]).toBe(leastMs)
    expect(waits[1]).toBe((leastMs + mostMs) / 2)
    expect(waits[2]).toBeLessThanOrEqual(mostMs)
    expect(waits[2]).toBeGreaterThan(mostMs - 10)
  })

  it('uses the retries of the same kind for its length', () => {
    const { decision } = afterRetries('internal', 2).when(fails('internal', 3))
    expect(decision).toEqual({ facts: [deferred('internal', 3, START_MS + 6_000)] })
  })
})

describe('a refund', () => {
  const dataOf = <Type extends NewFact['type']>(fact: NewFact, _type: Type) =>
    fact.data as Extract<NewFact, { type: Type }>['data']

  it.each<[string, RefundOutcome, NewFact]>([
    ['issued', { kind: 'issued', data: dataOf(issued(), 'refund.issued') }, issued()],
    ['waived', { kind: 'waived', data: dataOf(waived('overage'), 'refund.waived') }, waived('overage')],
    ['settled', { kind: 'settled', data: dataOf(settled(), 'refund.settled') }, settled()],
  ])('that was %s ends the session', (_, outcome, fact) => {
    given(...owed)
      .when(refund(outcome))
      .then(fact)
    given(...wasEscalated)
      .when(refund(outcome))
      .then(fact)
  })

  it('that the ledger refuses to an earlier owner changes nothing', () =>
    given(...owed)
      .when(refund({ kind: 'refused', detail: '' }))
      .thenIgnored('fenced_refund'))

  it('that fails is tried again, with growing waits', () => {
    given(...owed)
      .when(ledgerFails)
      .then(retrying(1, START_MS + 750))
    given(...owed, retrying(1, START_MS))
      .when(ledgerFails)
      .then(retrying(2, START_MS + 1_500))
    given(...owed, retrying(20, START_MS))
      .when(ledgerFails)
      .then(retrying(21, START_MS + 225_000))
  })

  it('that is owed for an hour is escalated, and then tried once an hour', () => {
    given(...owed)
      .after(HOUR_MS - 1)
      .when(ledgerFails)
      .then(retrying(1, START_MS + HOUR_MS - 1 + 750))
    given(...owed, retrying(20, START_MS))
      .after(HOUR_MS)
      .when(ledgerFails)
      .then(escalated(21, START_MS + 2 * HOUR_MS))
      .after(HOUR_MS)
      .when(ledgerFails)
      .then(escalated(22, START_MS + 3 * HOUR_MS))
  })

  it('of a rejected task is owed since its rejection', () =>
    given(rejected('x'), refundRequested())
      .after(HOUR_MS)
      .when(ledgerFails)
      .then(escalated(1, START_MS + 2 * HOUR_MS)))

  it('is settled by hand only once the ledger has it on record', () => {
    given(...owed)
      .when(settle())
      .then(settlementRequested())
    given(...wasEscalated)
      .when(settle())
      .then(settlementRequested())
    given(...owed, settlementRequested())
      .when(refund({ kind: 'settled', data: dataOf(settled(), 'refund.settled') }))
      .then(settled())
    given(...owed, settlementRequested())
      .when(refund({ kind: 'issued', data: dataOf(issued(), 'refund.issued') }))
      .then(issued())
  })

  it('is not settled by a tenant, nor before anything is owed, nor after it was decided', () => {
    given(...owed)
      .when(settle(tenant(store)))
      .thenRefused(/no say/)
    given()
      .when(settle())
      .thenRefused(/not known/)
    given(...processing)
      .when(settle())
      .thenIgnored('too_late')
    given(...ends.imported)
      .when(settle())
      .thenIgnored('too_late')
  })

  it.each([
    ['an operator', operator],
    ['the runtime', runtime],
  ])('is tried at once when %s asks for it', (_, by) => {
    const again = 'tried again on request'
    given(...owed)
      .when(retryRefund(by))
      .then(retrying(1, START_MS, again))
    given(...owed, retrying(4, START_MS + HOUR_MS))
      .when(retryRefund(by))
      .then(retrying(4, START_MS, again))
    given(...wasEscalated)
      .when(retryRefund(by))
      .then(escalated(7, START_MS, again))
    given(...ends.imported, approved())
      .when(retryRefund(by))
      .then(retrying(1, START_MS, again))
  })

  it('is not asked for by a tenant', () =>
    given(...owed)
      .when(retryRefund(tenant(store)))
      .thenRefused(/no say over refunds/))

  it('is not asked for a session that nobody knows', () =>
    given()
      .when(retryRefund())
      .thenRefused(/not known/))

  it.each(Object.entries({ queued, processing, ...ends }))('is not asked for a %s session', (_, facts) =>
    given(...facts)
      .when(retryRefund())
      .thenIgnored('too_late'),
  )
})
