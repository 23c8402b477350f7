import type { MetricRow } from './row.ts'

/** What is owed, and whether the books balance. */
export const bookMetrics: Readonly<Record<string, MetricRow>> = {
  refunds_owed: { type: 'gauge', help: 'Refunds that are owed, overdue ones with them.', labels: [] },
  refunds_overdue: { type: 'gauge', help: 'Refunds that have been owed for an hour or longer.', labels: [] },
  refunds_escalated: { type: 'gauge', help: 'Refunds that an operator must look at.', labels: [] },
  refunds_oldest_owed_seconds: {
    type: 'gauge',
    help: 'How long the oldest refund has been owed; 0 for none.',
    labels: [],
  },
  promises_judged_sessions_total: {
    type: 'counter',
    help: "Sessions whose facts and refunds were held against the design's promises.",
    labels: [],
  },
  promise_violations_total: {
    type: 'counter',
    help: 'Promises of the design that did not hold for a session. Always a bug or a hand in the tables: page somebody.',
    labels: ['promise'],
  },
  books_drift_credits: {
    type: 'gauge',
    help: 'Credits that are not where the facts say, at the last reconciliation.',
    labels: [],
  },
  books_balanced: { type: 'gauge', help: '1 when the books balanced at the last reconciliation.', labels: [] },
  orphans_given_up_total: {
    type: 'counter',
    help: 'Session rows without a task that were handed over to be failed and refunded.',
    labels: [],
  },
  orphan_sweeps_cut_total: {
    type: 'counter',
    help: 'Looks for stored results without a session that met more objects than one look takes, and ended there.',
    labels: [],
  },
  books_exceptions: {
    type: 'gauge',
    help: 'Sessions, refunds and accounts that somebody should look at, by class, at the last reconciliation.',
    labels: ['class'],
  },
}
