import { assertEvent, assign, setup } from 'xstate'
import { type CountedRetry, failures } from '../events/codes.ts'
import type { Fact } from '../events/fact.ts'
import type { Owner } from '../events/owner.ts'
import type { Settlement } from '../events/refund.ts'

/** What the machine remembers of a session: what its next decision needs, as plain JSON. Times are ISO 8601, UTC. */
export interface SessionContext {
  /** Null for a rejected task and a session that is not known yet. */
  readonly owner: Owner | null
  readonly requestId: string | null
  /** Of a session that is traced: what asked for it, so that work in another process, much later, belongs to its trace. */
  readonly traceparent?: string | undefined
  readonly imageUrls: readonly string[]
  readonly prompt: string
  readonly requestedAt: string | null
  /** The running or last try, from 1; 0 before the first. Only its outcome counts. */
  readonly attempt: number
  /** Tries in a row that began and never came to an outcome: their process died. */
  readonly orphans: number
  readonly retries: Readonly<Record<CountedRetry, number>>
  /** The work that the state owes starts no earlier. */
  readonly retryAt: string | null
  readonly failedAt: string | null
  readonly refundTries: number
  /** What an operator wants noted in the place of a payment; whichever reaches the ledger's record first counts. */
  readonly settlement: Settlement | null
}

const blank: SessionContext = {
  owner: null,
  requestId: null,
  imageUrls: [],
  prompt: '',
  requestedAt: null,
  attempt: 0,
  orphans: 0,
  retries: { transient: 0, rate_limited: 0, unknown: 0 },
  retryAt: null,
  failedAt: null,
  refundTries: 0,
  settlement: null,
}

/** The work that a state owes: the runtime takes it up whenever it finds a session in such a state. */
export type Owed = 'generation' | 'refund'

/**
 * The life of one generation session. It decides and does no work: no promise, no clock and no timer lives in it, so that
 * folding the same facts gives the same session anywhere. `meta.owes` names the work that a state owes.
 */
export const sessionMachine = setup({
  types: { context: {} as SessionContext, events: {} as Fact, meta: {} as { owes: Owed } },
  guards: {
    nextAttempt: ({ context, event }) => {
      assertEvent(event, 'generation.started')
      return event.data.attempt === context.attempt + 1
    },
    untouched: ({ context }) => context.attempt === 0,
    currentAttempt: ({ context, event }) => {
      assertEvent(event, ['generation.deferred', 'generation.completed', 'generation.failed'])
      return event.data.attempt === context.attempt
    },
    /** Only what came by the producers' list can be what was given back to it: anything else is a duplicate. */
    fromList: ({ event }) => {
      assertEvent(event, 'generation.requested')
      return event.data.source === 'list'
    },
    importedAsCompleted: ({ event }) => {
      assertEvent(event, 'generation.imported')
      return event.data.end === 'completed'
    },
  },
  actions: {
    open: assign(({ event }) => {
      assertEvent(event, 'generation.requested')
      const { owner, imageUrls, prompt } = event.data
      const { requestId, traceparent, at: requestedAt } = event
      return { owner, imageUrls, prompt, requestId, requestedAt, ...(traceparent !== undefined && { traceparent }) }
    }),
    leave: assign(() => ({ imageUrls: [], prompt: '', retryAt: null })),
    import: assign(({ event }) => {
      assertEvent(event, 'generation.imported')
      return { owner: event.data.owner, requestId: event.requestId, failedAt: event.at }
    }),
    begin: assign(({ context, event }) => {
      assertEvent(event, 'generation.started')
      return { attempt: event.data.attempt, orphans: context.orphans + 1, retryAt: null }
    }),
    defer: assign(({ context, event }) => {
      assertEvent(event, 'generation.deferred')
      const { retry } = failures[event.data.code]
      const ended = { orphans: 0, retryAt: event.data.retryAt }
      if (retry === 'never' || retry === 'outage') return ended
      return { ...ended, retries: { ...context.retries, [retry]: context.retries[retry] + 1 } }
    }),
    fail: assign(({ event }) => ({ requestId: event.requestId, failedAt: event.at, retryAt: null })),
    // Owed only from now on: what is escalated is the wait since the approval.
    approve: assign(({ event }) => ({ failedAt: event.at })),
    settle: assign(({ event }) => {
      assertEvent(event, 'refund.settlement_requested')
      return { settlement: event.data, retryAt: null }
    }),
    postpone: assign(({ event }) => {
      assertEvent(event, ['refund.retrying', 'refund.escalated'])
      return { refundTries: event.data.tries, retryAt: event.data.retryAt }
    }),
  },
}).createMachine({
  id: 'session',
  context: blank,
  initial: 'new',
  states: {
    new: {
      on: {
        'generation.requested': { target: 'queued', actions: 'open' },
        'generation.rejected': { target: 'failed', actions: 'fail' },
        'generation.imported': [
          { guard: 'importedAsCompleted', target: 'completed', actions: 'import' },
          { target: 'failed.imported', actions: 'import' },
        ],
      },
    },
    queued: {
      meta: { owes: 'generation' },
      on: {
        'generation.started': { guard: 'nextAttempt', target: 'processing', actions: 'begin' },
        'generation.failed': { guard: 'currentAttempt', target: 'failed', actions: 'fail' },
        'generation.cancelled': { target: 'failed', actions: 'fail' },
        'generation.withdrawn': { target: 'failed', actions: 'fail' },
        'generation.released': { guard: 'untouched', target: 'released' },
      },
    },
    // Owed to the producers' list, not by whoever owns the partition: the role `bridge` sees to it.
    released: {
      on: {
        'generation.handed_back': { target: 'handed_back', actions: 'leave' },
        'generation.withdrawn': { target: 'failed', actions: 'fail' },
        // It lies in the list and came from there before the note of it did.
        'generation.requested': { guard: 'fromList', target: 'queued', actions: 'open' },
      },
    },
    // Somebody else's, until it comes again.
    handed_back: { on: { 'generation.requested': { target: 'queued', actions: 'open' } } },
    processing: {
      meta: { owes: 'generation' },
      on: {
        // Taken over: the process that ran the earlier try is gone, and its outcome no longer counts.
        'generation.started': { guard: 'nextAttempt', target: 'processing', actions: 'begin' },
        'generation.deferred': { guard: 'currentAttempt', target: 'queued', actions: 'defer' },
        'generation.completed': { guard: 'currentAttempt', target: 'completed' },
        'generation.failed': { guard: 'currentAttempt', target: 'failed', actions: 'fail' },
        'generation.cancelled': { target: 'failed', actions: 'fail' },
        'generation.withdrawn': { target: 'failed', actions: 'fail' },
      },
    },
    completed: { type: 'final' },
    failed: {
      initial: 'open',
      states: {
        // Left in the same step that entered it: what fails asks for its refund at once.
        open: { on: { 'refund.requested': 'owed' } },
        owed: {
          meta: { owes: 'refund' },
          on: {
            'refund.issued': '#session.refunded',
            'refund.waived': 'settled',
            'refund.settled': 'settled',
            'refund.retrying': { target: 'owed', actions: 'postpone' },
            'refund.settlement_requested': { target: 'owed', actions: 'settle' },
            'refund.escalated': { target: 'escalated', actions: 'postpone' },
          },
        },
        escalated: {
          meta: { owes: 'refund' },
          on: {
            'refund.issued': '#session.refunded',
            'refund.waived': 'settled',
            'refund.settled': 'settled',
            'refund.escalated': { target: 'escalated', actions: 'postpone' },
            'refund.settlement_requested': { target: 'escalated', actions: 'settle' },
          },
        },
        // From before this system: nothing is owed until a person approves it.
        imported: { on: { 'refund.approved': { target: 'owed', actions: 'approve' } } },
        settled: { type: 'final' },
      },
    },
    refunded: { type: 'final' },
  },
})
