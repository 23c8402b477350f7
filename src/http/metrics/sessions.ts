import type { MetricRow } from './row.ts'

/** From a free slot's milliseconds to the hour after which a session is given up. */
const waitSeconds = [0.05, 0.25, 1, 5, 15, 30, 60, 120, 300, 600, 1_800, 3_600]

/** What becomes of sessions, how long they wait, and what was put aside unread. */
export const sessionMetrics: Readonly<Record<string, MetricRow>> = {
  facts_total: { type: 'counter', help: 'Facts that machines accepted and a commit made durable.', labels: ['type'] },
  generation_failures_total: {
    type: 'counter',
    help: 'Tries that brought no image, by what went wrong, and whether the session is tried again or failed.',
    labels: ['code', 'outcome'],
  },
  paused_seconds: {
    type: 'gauge',
    help: 'How long operators have had it paused: all tries, the carrying of tasks from the list, the longest of one tenant. 0: it goes on.',
    labels: ['scope'],
  },
  events_ignored_total: {
    type: 'counter',
    help: 'Commands and outcomes that came to no fact: duplicates, late answers, refusals.',
    labels: ['reason'],
  },
  dead_letters_total: {
    type: 'counter',
    help: 'Messages that nobody could work on, kept for an operator.',
    labels: ['source'],
  },
  dead_letters: {
    type: 'gauge',
    help: 'Messages kept for an operator: waiting, replayed or discarded. Of the whole log, by processes that project.',
    labels: ['state'],
  },
  dead_letters_dropped: {
    type: 'gauge',
    help: 'Kept messages that made room for younger ones since the log was created.',
    labels: [],
  },
  dead_letter_actions_total: {
    type: 'counter',
    help: 'Kept messages that operators replayed or discarded.',
    labels: ['action'],
  },
  sessions_open: { type: 'gauge', help: 'Sessions that have not ended, of the whole system.', labels: ['state'] },
  sessions_oldest_seconds: {
    type: 'gauge',
    help: 'Age of the oldest session that has not ended, since its request; 0 for none.',
    labels: ['state'],
  },
  intake_wait_seconds: {
    type: 'histogram',
    help: "From a task's creation, by its producer's clock, to the step that took it in.",
    labels: [],
    buckets: waitSeconds,
  },
  queue_wait_seconds: {
    type: 'histogram',
    help: 'From the request of a session to the start of its first try.',
    labels: [],
    buckets: waitSeconds,
  },
}
