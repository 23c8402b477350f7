import type { MetricRow } from './row.ts'

/** What keeps it going: partitions, loops, the log, the archive, projections. */
export const upkeepMetrics: Readonly<Record<string, MetricRow>> = {
  partitions_held: {
    type: 'gauge',
    help: 'Partitions that this process holds the lease of: starting, running, or damaged (waiting for a repair).',
    labels: ['state'],
  },
  partition_step_seconds: {
    type: 'gauge',
    help: 'How long the slowest partition of this process has been in its present step; 0 when none is in one.',
    labels: [],
  },
  partition_unread_messages: {
    type: 'gauge',
    help: 'Messages in the inbox of a partition that this process holds and that no commit has behind it.',
    labels: ['partition'],
  },
  partition_unarchived_steps: {
    type: 'gauge',
    help: 'Steps in the journal of a partition that this process holds and that the archive does not have.',
    labels: ['partition'],
  },
  trace_faults_total: {
    type: 'counter',
    help: 'Times that spans could not be sent to the collector of traces.',
    labels: [],
  },
  loop_restarts_total: { type: 'counter', help: 'Loops that failed and were started again.', labels: ['loop'] },
  partition_failures_total: {
    type: 'counter',
    help: 'Partitions given up after an error, by its name; Fenced is another owner taking over.',
    labels: ['error'],
  },
  log_damage_total: {
    type: 'counter',
    help: 'Looks at a partition that found its log not to be what the archive knows; it waits for a repair.',
    labels: ['damage'],
  },
  log_faults_total: {
    type: 'counter',
    help: 'Times that the log, or what tells its news, did not answer; it is asked again.',
    labels: [],
  },
  archive_unreachable_total: {
    type: 'counter',
    help: 'Questions of a partition owner that the archive did not answer; they are asked again.',
    labels: ['question'],
  },
  archive_steps_total: { type: 'counter', help: 'Steps of the journals that were taken into the archive.', labels: [] },
  archive_stopped: {
    type: 'gauge',
    help: '1 for a partition in which the archive reads no further until it is repaired.',
    labels: ['partition'],
  },
  journal_reader_behind_steps: {
    type: 'gauge',
    help: 'Steps that the log keeps because a registered reader of the journals has not read them.',
    labels: ['reader'],
  },
  journal_reader_waits_seconds: {
    type: 'gauge',
    help: 'Age of the oldest step that a registered reader of the journals has not read; 0 when it has all.',
    labels: ['reader'],
  },
  projection_facts_total: { type: 'counter', help: 'Facts that a projection has worked in.', labels: ['projection'] },
  projection_position: {
    type: 'gauge',
    help: "The archive's ordinal up to which a projection's rows are.",
    labels: ['projection'],
  },
  projection_lag_facts: {
    type: 'gauge',
    help: 'Facts in the archive that a projection has not worked in.',
    labels: ['projection'],
  },
  projection_lag_seconds: {
    type: 'gauge',
    help: 'Age of the oldest fact in the archive that a projection has not worked in; 0 when it has all.',
    labels: ['projection'],
  },
  projection_set_aside: {
    type: 'gauge',
    help: 'Sessions whose rows the database refused, waiting to be tried again.',
    labels: ['projection'],
  },
  supabase_failures_total: {
    type: 'counter',
    help: 'Calls through Supabase that failed, by what went wrong; those that were repeated count each time.',
    labels: ['code'],
  },
}
