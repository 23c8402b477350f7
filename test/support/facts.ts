import { type FailureCode, failures } from '../../src/events/codes.ts'
import { type Fact, factVersions, type NewFact } from '../../src/events/fact.ts'
import type { Result, Sender, Withdrawal } from '../../src/events/generation.ts'
import { SessionId, StoreId, UserId } from '../../src/events/ids.ts'
import { type Owner, tenantOf } from '../../src/events/owner.ts'
import type { WaiverReason } from '../../src/events/refund.ts'
import { isoTime } from '../../src/events/text.ts'

/** When every history of these tests begins, ms since the epoch. */
export const START_MS = Date.UTC(2026, 0, 15, 10)

export const sessionId = SessionId.parse('0190b5f8-0000-7000-8000-000000000001')
export const otherSessionId = SessionId.parse('0190b5f8-0000-7000-8000-000000000002')

export const store = { channel: 'b2b', storeId: StoreId.parse('0190b5f8-0000-7000-8000-00000000000a') } satisfies Owner
export const user = { channel: 'b2c', userId: UserId.parse('0190b5f8-0000-7000-8000-00000000000b') } satisfies Owner

export const operator: Sender = { role: 'operator', name: 'ada' }
export const runtime: Sender = { role: 'runtime' }
export const tenant = (owner: Owner): Sender => ({ role: 'tenant', tenant: tenantOf(owner) })

export const result: Result = {
  path: `stores/${store.storeId}/generated/${sessionId}.jpg`,
  url: 'https://images.example/result.jpg',
  urlExpiresAt: isoTime(START_MS + 21_600_000),
  usage: {
    inputTokens: 900,
    outputTokens: 6_240,
    costUsd: 0.206_58,
    byKind: { textIn: 100, imageIn: 800, textOut: 0, imageOut: 6_240 },
  },
  durationMs: 31_000,
  provenance: {
    generator: 'openai',
    model: 'gpt-image-1.5',
    parameters: { size: '1024x1536', quality: 'medium', n: 1 },
    providerRequestId: 'req_provider',
    inputs: ['a1', 'b2'],
    promptSha256: 'c3',
    defaultPrompt: 'Dress the person.',
  },
  found: false,
}

type DataOf<Type extends NewFact['type']> = Extract<NewFact, { type: Type }>['data']

export const requested = (data: Partial<DataOf<'generation.requested'>> = {}): NewFact => ({
  type: 'generation.requested',
  data: {
    owner: store,
    imageUrls: ['https://images.example/person.jpg', 'https://images.example/garment.jpg'],
    prompt: '',
    taskId: 'task-1',
    source: 'inbox',
    ...data,
  },
})

export const rejected = (...issues: string[]): NewFact => ({ type: 'generation.rejected', data: { issues } })

export const started = (attempt = 1, deadlineMs = START_MS + 200_000): NewFact => ({
  type: 'generation.started',
  data: { attempt, deadline: isoTime(deadlineMs) },
})

export const deferred = (code: FailureCode, attempt: number, retryAtMs: number): NewFact => ({
  type: 'generation.deferred',
  data: { attempt, code, detail: 'as told', retryAt: isoTime(retryAtMs) },
})

export const completed = (attempt = 1): NewFact => ({ type: 'generation.completed', data: { attempt, result } })

export const failed = (code: FailureCode, attempt = 1, detail = 'as told'): NewFact => ({
  type: 'generation.failed',
  data: { attempt, code, message: failures[code].message, detail },
})

export const cancelled = (by: Sender = operator): NewFact => ({ type: 'generation.cancelled', data: { by } })

export const withdrawn = (why: Withdrawal = 'row_failed'): NewFact => ({
  type: 'generation.withdrawn',
  data: { why, detail: 'as told' },
})

export const released = (by: Sender = operator): NewFact => ({ type: 'generation.released', data: { by } })

export const handedBack = (): NewFact => ({ type: 'generation.handed_back', data: {} })

export const imported = (end: 'completed' | 'failed'): NewFact => ({
  type: 'generation.imported',
  data: { end, owner: store, evidence: 'row of the earlier worker' },
})

export const refundRequested = (): NewFact => ({ type: 'refund.requested', data: {} })

export const issued = (): NewFact => ({
  type: 'refund.issued',
  data: { credits: 1, payer: { kind: 'store', storeId: store.storeId }, ledgerRecord: 'transaction-1', how: 'paid' },
})

export const retrying = (tries: number, retryAtMs: number, error = 'as told'): NewFact => ({
  type: 'refund.retrying',
  data: { tries, error, retryAt: isoTime(retryAtMs) },
})

export const escalated = (tries: number, retryAtMs: number, error = 'as told'): NewFact => ({
  type: 'refund.escalated',
  data: { tries, error, retryAt: isoTime(retryAtMs) },
})

export const waived = (reason: WaiverReason = 'never_charged'): NewFact => ({
  type: 'refund.waived',
  data: { reason, detail: 'as told' },
})

export const settlementRequested = (): NewFact => ({
  type: 'refund.settlement_requested',
  data: { by: operator, how: 'paid_outside', why: 'the shopper has no balance' },
})

export const settled = (): NewFact => ({
  type: 'refund.settled',
  data: { by: operator, how: 'bank transfer', why: 'the shopper has no balance' },
})

export const approved = (): NewFact => ({ type: 'refund.approved', data: { by: operator } })

/** A fact as a session's journal holds it. */
export const factAt = (seq: number, { type, data }: NewFact, atMs = START_MS, id = sessionId): Fact =>
  ({
    id: `${id}/${seq}`,
    type,
    version: factVersions[type],
    sessionId: id,
    seq,
    at: isoTime(atMs),
    requestId: 'req_1',
    data,
  }) as Fact

/** Facts in the order in which a session's journal holds them, from the first. */
export const history = (...facts: readonly NewFact[]): Fact[] => facts.map((fact, index) => factAt(index + 1, fact))
