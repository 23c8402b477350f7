import type { MetricRow } from './row.ts'

const requestSeconds = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]

/** At the door: requests, keys, streams. */
export const doorMetrics: Readonly<Record<string, MetricRow>> = {
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
  http_requests_in_flight: {
    type: 'gauge',
    help: 'HTTP requests being worked on, without event streams; also when the caller left or was told to come again.',
    labels: [],
  },
  http_problems_total: {
    type: 'counter',
    help: 'HTTP requests that were refused or failed, by the code of the answer: overloaded, too_slow and so on.',
    labels: ['code'],
  },
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
}
