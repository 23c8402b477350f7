import { type Dashboard, panel, percentiles, rate } from './panels.ts'

/** Every dashboard: what an operator asks, in the order in which they ask it. */
export const dashboards: readonly Dashboard[] = [
  {
    uid: 'wearon-sessions',
    title: 'Sessions',
    panels: [
      panel('Under way', 'short', 'Sessions that have not ended.', [
        'max by (state) (wearon_sessions_open)',
        '{{state}}',
      ]),
      panel('Oldest', 's', 'After an hour a session that waits is given up and refunded.', [
        'max by (state) (wearon_sessions_oldest_seconds)',
        '{{state}}',
      ]),
      panel('Facts', 'ops', 'What happened to sessions, per second.', rate('wearon_facts_total', 'type')),
      panel('Failures', 'ops', 'Tries without an image, by code.', [
        'sum by (code, outcome) (rate(wearon_generation_failures_total[$__rate_interval]))',
        '{{code}} {{outcome}}',
      ]),
      panel(
        'From task to step',
        's',
        'How long tasks wait before they are taken in.',
        ...percentiles('wearon_intake_wait_seconds'),
      ),
      panel(
        'From request to first try',
        's',
        'What people wait for a slot.',
        ...percentiles('wearon_queue_wait_seconds'),
      ),
      panel(
        'Ignored',
        'ops',
        'Duplicates and late answers: harmless unless many.',
        rate('wearon_events_ignored_total', 'reason'),
      ),
      panel('Requests', 'reqps', 'HTTP requests by status.', rate('wearon_http_requests_total', 'status')),
      panel('Time of requests', 's', '95th percentile by route.', ['wearon:http_request_seconds:p95_5m', '{{route}}']),
    ],
  },
  {
    uid: 'wearon-provider',
    title: 'Effects and provider',
    panels: [
      panel('Running', 'short', 'Effects that run, all processes.', [
        'sum by (effect) (wearon_effects_running)',
        '{{effect}}',
      ]),
      panel('Waiting for a slot', 'short', 'Grows when the provider or the rate limit is the bottleneck.', [
        'sum by (effect) (wearon_effects_waiting)',
        '{{effect}}',
      ]),
      panel('Time of effects', 's', '95th percentile.', ['wearon:effect_seconds:p95_15m', '{{effect}}']),
      panel('How effects end', 'ops', 'done, threw, timeout, aborted.', [
        'sum by (effect, how) (rate(wearon_effect_seconds_count[$__rate_interval]))',
        '{{effect}} {{how}}',
      ]),
      panel(
        'Calls',
        'ops',
        'Requests to the provider by what they came to.',
        rate('wearon_provider_calls_total', 'code'),
      ),
      panel('Time of calls', 's', 'The answer read in full.', ...percentiles('wearon_provider_call_seconds')),
      panel('Cost per hour', 'currencyUSD', 'By the prices that are set.', [
        'sum(increase(wearon_provider_cost_usd_total[1h]))',
        'USD',
      ]),
      panel('Tokens', 'short', 'Per second and kind.', rate('wearon_provider_tokens_total', 'kind')),
      panel('Account refused', 'short', '1: nothing is generated.', ['max(wearon_provider_breaker_open)', 'open']),
    ],
  },
  {
    uid: 'wearon-log',
    title: 'Log and projections',
    panels: [
      panel('Partitions', 'short', 'Their sum is the number that the log was created with.', [
        'sum by (state) (wearon_partitions_held)',
        '{{state}}',
      ]),
      panel('Tasks not taken in', 'short', 'The fullest inboxes; the owner of a partition reads its own.', [
        'topk(5, max by (partition) (wearon_partition_unread_messages))',
        '{{partition}}',
      ]),
      panel('Steps not archived', 'short', 'The archive is behind the journals; tables follow it.', [
        'topk(5, max by (partition) (wearon_partition_unarchived_steps))',
        '{{partition}}',
      ]),
      panel('Slowest step', 's', 'Seconds mean that the log or the archive does not answer.', [
        'max by (instance) (wearon_partition_step_seconds)',
        '{{instance}}',
      ]),
      panel(
        'Partitions given up',
        'ops',
        'Fenced: another owner took over.',
        rate('wearon_partition_failures_total', 'error'),
      ),
      panel('Projections behind', 's', 'Age of the oldest fact that is not in the rows.', [
        'max by (projection) (wearon_projection_lag_seconds)',
        '{{projection}}',
      ]),
      panel('Facts behind', 'short', 'The same, in facts.', [
        'max by (projection) (wearon_projection_lag_facts)',
        '{{projection}}',
      ]),
      panel('Rows set aside', 'short', 'Refused by the database, tried again.', [
        'max by (projection) (wearon_projection_set_aside)',
        '{{projection}}',
      ]),
      panel('Readers behind', 's', 'The log cannot be trimmed past the slowest.', [
        'max by (reader) (wearon_journal_reader_waits_seconds)',
        '{{reader}}',
      ]),
      panel('Dead letters', 'short', 'Those that wait need a decision.', [
        'max by (state) (wearon_dead_letters)',
        '{{state}}',
      ]),
      panel(
        'Database calls that failed',
        'ops',
        'Repeated by themselves.',
        rate('wearon_supabase_failures_total', 'code'),
        ['sum(rate(wearon_archive_unreachable_total[$__rate_interval]))', 'archive'],
      ),
    ],
  },
  {
    uid: 'wearon-books',
    title: 'Refunds and finance',
    panels: [
      panel('Balanced', 'short', '1 when every credit is where the facts say.', [
        'max(wearon_books_balanced)',
        'balanced',
      ]),
      panel('Drift', 'short', 'Credits that are elsewhere.', ['max(wearon_books_drift_credits)', 'credits']),
      panel(
        'Refunds',
        'short',
        'Owed is normal for minutes, overdue and escalated are not.',
        ['max(wearon_refunds_owed)', 'owed'],
        ['max(wearon_refunds_overdue)', 'overdue'],
        ['max(wearon_refunds_escalated)', 'escalated'],
      ),
      panel('Oldest owed', 's', '0 for none.', ['max(wearon_refunds_oldest_owed_seconds)', 'oldest']),
      panel('Exceptions', 'short', 'By class, as in wearon reconcile --exceptions.', [
        'max by (class) (wearon_books_exceptions) > 0',
        '{{class}}',
      ]),
      panel('What became of refunds', 'ops', 'Facts per second.', [
        'sum by (type) (rate(wearon_facts_total{type=~"refund.*"}[$__rate_interval]))',
        '{{type}}',
      ]),
      panel('Promises broken', 'short', 'Must be empty.', [
        'sum by (promise) (increase(wearon_promise_violations_total[1h]))',
        '{{promise}}',
      ]),
      panel('Sessions judged', 'ops', 'Whether the promises are looked at.', [
        'sum(rate(wearon_promises_judged_sessions_total[$__rate_interval]))',
        'judged',
      ]),
      panel('Given up', 'ops', 'Session rows without a task.', [
        'sum(rate(wearon_orphans_given_up_total[$__rate_interval]))',
        'orphans',
      ]),
    ],
  },
  {
    uid: 'wearon-body',
    title: 'Body',
    panels: [
      panel('Estimates', 'ops', 'By outcome.', rate('wearon_body_estimates_total', 'outcome')),
      panel('Photos that would not do', 'ops', 'By reason.', rate('wearon_body_refusals_total', 'reason')),
      panel('Parts of an estimate', 's', 'Where the time goes.', ...percentiles('wearon_body_stage_seconds', 'stage')),
      panel('Time of the models', 's', 'With the wait for an engine.', ...percentiles('wearon_pose_seconds')),
      panel('Engines ready', 'short', 'Processes whose self-test passed.', ['sum(wearon_pose_engines_ready)', 'ready']),
      panel('Pictures that wait', 'short', 'For a free engine.', ['sum(wearon_pose_waiting)', 'waiting']),
      panel('Engines that ended', 'ops', 'Crashes, and pictures that took too long.', [
        'sum(rate(wearon_pose_engine_ends_total[$__rate_interval]))',
        'ends',
      ]),
    ],
  },
  {
    uid: 'wearon-process',
    title: 'Processes',
    panels: [
      panel('Up', 'short', 'Processes that answer Prometheus.', ['sum(up{job="wearon"})', 'up']),
      panel('Memory', 'bytes', 'Resident.', ['process_resident_memory_bytes{job="wearon"}', '{{instance}}']),
      panel('Heap', 'bytes', 'Used by JavaScript.', ['nodejs_heap_size_used_bytes{job="wearon"}', '{{instance}}']),
      panel('CPU', 'percentunit', 'Of one core.', [
        'rate(process_cpu_seconds_total{job="wearon"}[$__rate_interval])',
        '{{instance}}',
      ]),
      panel('Event loop late', 's', '99th percentile.', [
        'nodejs_eventloop_lag_p99_seconds{job="wearon"}',
        '{{instance}}',
      ]),
      panel(
        'Loops started again',
        'ops',
        'After an error; the log says which.',
        rate('wearon_loop_restarts_total', 'loop'),
      ),
      panel(
        'Requests and streams',
        'short',
        'In flight.',
        ['sum(wearon_http_requests_in_flight)', 'requests'],
        ['sum(wearon_http_streams)', 'streams'],
      ),
      panel('Open files', 'short', 'Handles of the process.', ['process_open_fds{job="wearon"}', '{{instance}}']),
    ],
  },
]
