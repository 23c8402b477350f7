/** What a metric is: its kind, what it tells an operator, and its labels, each of few values. */
export interface MetricRow {
  readonly type: 'counter' | 'gauge' | 'histogram'
  readonly help: string
  readonly labels: readonly string[]
  /** Upper bounds of a histogram, in the unit of its name. */
  readonly buckets?: readonly number[]
}

const requestSeconds = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]
/** From a refund's few milliseconds to a try's 200 s. */
const effectSeconds = [0.01, 0.05, 0.1, 0.5, 1, 5, 10, 20, 40, 60, 90, 120, 180, 240]
/** From a free slot's milliseconds to the hour after which a session is given up. */
const waitSeconds = [0.05, 0.25, 1, 5, 15, 30, 60, 120, 300, 600, 1_800, 3_600]
/** From a millisecond's measuring to the five seconds after which nobody waits any more. */
const stageSeconds = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.35, 0.5, 1, 2.5, 5]

/** Every metric, by its name without the `wearon_` prefix: one row per name. */
export const metricTable: Readonly<Record<string, MetricRow>> = {
  http_requests_total: {
    type: 'counter',
    help: 'HTTP requests that ended, by route template. Status 499: the client left first.',
    labels: ['method', 'route', 'status'],
  },
  http_request_seconds: {
    type: 'histogram',
    help: 'Time from the request to the end of its answer, without event streams.',
    labels: ['method', 'route'],
    buckets: requestSeconds,
  },
  http_requests_in_flight: { type: 'gauge', help: 'HTTP requests being worked on, without event streams.', labels: [] },
  http_rate_limited_total: {
    type: 'counter',
    help: 'Requests answered 429 because the share of a key, or of an address without a valid one, was used up.',
    labels: ['share'],
  },
  api_keys_refused_total: {
    type: 'counter',
    help: 'Requests whose API key was not good: malformed, unknown, revoked or expired.',
    labels: ['reason'],
  },
  audit_failures_total: {
    type: 'counter',
    help: 'Entries of the audit whose outcome could not be written; they stand without one.',
    labels: [],
  },
  http_streams: { type: 'gauge', help: 'Event streams that are open.', labels: [] },
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
  handbacks_total: {
    type: 'counter',
    help: 'Released tasks that were given back to the producers’ list, or not wanted by the platform any more; repeats count.',
    labels: ['outcome'],
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
  effects_running: { type: 'gauge', help: 'Generations and refunds that run in this process.', labels: ['effect'] },
  effects_waiting: {
    type: 'gauge',
    help: 'Generations and refunds that wait for a slot in this process, their retries included.',
    labels: ['effect'],
  },
  effect_seconds: {
    type: 'histogram',
    help: 'Time that a generation or refund took, by how it ended.',
    labels: ['effect', 'how'],
    buckets: effectSeconds,
  },
  pose_seconds: {
    type: 'histogram',
    help: 'Time that the models took for a picture, its wait for a free engine included, by what it came to.',
    labels: ['outcome'],
    buckets: requestSeconds,
  },
  pose_waiting: { type: 'gauge', help: 'Pictures that wait for a free engine.', labels: [] },
  pose_engines_ready: { type: 'gauge', help: 'Engine processes whose self-test passed.', labels: [] },
  pose_engine_ends_total: {
    type: 'counter',
    help: 'Engine processes that ended by themselves or were stopped over a picture.',
    labels: [],
  },
  provider_calls_total: {
    type: 'counter',
    help: 'Requests to the provider of images, by what they came to: image, or the code of the failure.',
    labels: ['code'],
  },
  provider_call_seconds: {
    type: 'histogram',
    help: 'Time that a request to the provider of images took, its answer read in full.',
    labels: ['code'],
    buckets: effectSeconds,
  },
  provider_tokens_total: {
    type: 'counter',
    help: 'Tokens that the provider counted: text_in, image_in, text_out, image_out.',
    labels: ['kind'],
  },
  provider_cost_usd_total: {
    type: 'counter',
    help: 'What those tokens cost in USD, by the prices that are set.',
    labels: [],
  },
  provider_breaker_open: {
    type: 'gauge',
    help: '1 while the provider refuses the account (key, budget, model): no generation starts but a probe. Page somebody.',
    labels: [],
  },
  body_estimates_total: {
    type: 'counter',
    help: 'Estimates of bodies from photos: answered, refused (the photo will not do), or the code of the problem.',
    labels: ['outcome'],
  },
  body_refusals_total: {
    type: 'counter',
    help: 'Why photos would not do; one photo may count for several reasons.',
    labels: ['reason'],
  },
  body_stage_seconds: {
    type: 'histogram',
    help: 'Time of the parts of an estimate: fetch, decode, queue, blaze_pose, move_net, measure.',
    labels: ['stage'],
    buckets: stageSeconds,
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
  image_urls_signed_again_total: {
    type: 'counter',
    help: 'URLs of results that had expired and were asked for: signed, gone with the image, or failed.',
    labels: ['outcome'],
  },
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
  books_exceptions: {
    type: 'gauge',
    help: 'Sessions, refunds and accounts that somebody should look at, by class, at the last reconciliation.',
    labels: ['class'],
  },
}
