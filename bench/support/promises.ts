import type { Figures } from './figures.ts'

interface Promised {
  readonly bench: string
  readonly figure: string
  readonly words: string
  readonly atLeast?: number
  readonly atMost?: number
}

/** What is promised of a machine with two cores; each is a ratio, or has room for a slower one. */
const promised: readonly Promised[] = [
  { bench: 'idle', figure: 'cpu_percent', words: 'processor at rest, % of a core', atMost: 1 },
  { bench: 'lifecycle', figure: 'ratio_to_bullmq', words: 'sessions on Redis, times BullMQ', atLeast: 1.5 },
  { bench: 'lifecycle', figure: 'ratio_to_raw', words: 'sessions on Redis, share of the raw limit', atLeast: 0.5 },
  { bench: 'lifecycle', figure: 'p50_to_bullmq', words: 'p50 at 100/s, times BullMQ', atMost: 1 },
  { bench: 'lifecycle', figure: 'p99_to_bullmq', words: 'p99 at 100/s, times BullMQ', atMost: 1 },
  { bench: 'lifecycle', figure: 'rss_mb', words: 'memory of the process, MB', atMost: 160 },
  { bench: 'rows', figure: 'ratio_to_bullmq', words: 'with rows in Postgres, times BullMQ without', atLeast: 0.8 },
  { bench: 'projection', figure: 'sessions_per_s', words: 'session rows to Postgres a second', atLeast: 50_000 },
  { bench: 'projection', figure: 'refunds_per_s', words: 'refund rows to Postgres a second', atLeast: 50_000 },
  { bench: 'projection', figure: 'sessions_to_plain', words: 'session rows, times a plain upsert', atLeast: 0.5 },
  { bench: 'projection', figure: 'switch_part_ms', words: 'longest part of a switch, ms', atMost: 8_000 },
  { bench: 'books', figure: 'summary_s', words: 'summary of 1,000,000 sessions, s', atMost: 10 },
  { bench: 'books', figure: 'page_of_lines_s', words: 'a page of their lines, s', atMost: 1 },
  { bench: 'books', figure: 'summary_of_a_day_s', words: "a day's summary of them, s", atMost: 2 },
  { bench: 'effects', figure: 'share', words: 'effects of 200 ms, share of the ideal', atLeast: 0.94 },
  { bench: 'prepare', figure: 'crowd_loop_p99_ms', words: 'event loop p99 under 200 sessions at once, ms', atMost: 50 },
  { bench: 'prepare', figure: 'crowd_mb', words: 'memory of 200 sessions at once, MB', atMost: 600 },
  { bench: 'prepare', figure: 'sessions_per_core_s', words: 'sessions of 2 photos fed by a core a second', atLeast: 2 },
  { bench: 'prepare', figure: 'mb_per_photo', words: 'memory that a photo of a crowd adds, MB', atMost: 5 },
  { bench: 'space', figure: 'redis_bytes_per_finished', words: 'Redis for a finished session, bytes', atMost: 1_500 },
  { bench: 'backlog', figure: 'rss_mb', words: 'memory with 300,000 queued, MB', atMost: 600 },
  { bench: 'backlog', figure: 'first_task_ratio', words: "another tenant's first task, times unloaded", atMost: 1.25 },
  { bench: 'logs', figure: 'kafka_to_bullmq', words: 'sessions on Kafka, times BullMQ', atLeast: 1 },
  { bench: 'logs', figure: 'kafka_p50_ms', words: 'p50 on Kafka at 100/s, ms', atMost: 5 },
  { bench: 'http', figure: 'per_s', words: 'requests a second, one in ten a publication', atLeast: 1_990 },
  { bench: 'http', figure: 'errors', words: 'answers that were no success, or none', atMost: 0 },
  { bench: 'http', figure: 'p99_ms', words: 'p99 of an answer, ms', atMost: 100 },
  { bench: 'http', figure: 'lost', words: 'accepted sessions that did not complete', atMost: 0 },
  { bench: 'http', figure: 'overload_strange', words: 'overload: other than 2xx, 429, 503 + Retry-After', atMost: 0 },
  { bench: 'http', figure: 'heap_growth_mb', words: 'more memory in use once drained, MB', atMost: 30 },
  { bench: 'http', figure: 'rss_mb', words: 'memory of all processes, MB', atMost: 1_800 },
  { bench: 'http-list', figure: 'p95_ms', words: 'p95 of a list of 100,000 sessions, ms', atMost: 150 },
  { bench: 'estimate', figure: 'p95_ms', words: 'p95 of an estimate, 12 megapixels, ms', atMost: 350 },
  { bench: 'estimate', figure: 'per_s', words: 'estimates a second with two engines', atLeast: 6 },
  { bench: 'estimate', figure: 'loop_p99_ms', words: 'event loop p99 meanwhile, ms', atMost: 25 },
  { bench: 'estimate', figure: 'rss_mb', words: 'memory of API and engines, MB', atMost: 1_200 },
  { bench: 'estimate', figure: 'crowd_slowest_ms', words: 'slowest answer to 20 requests a second, ms', atMost: 5_000 },
  { bench: 'estimate', figure: 'crowd_strange', words: 'other answers than 200 and 503', atMost: 0 },
  { bench: 'estimate-memory', figure: 'photos', words: 'photos that were estimated', atLeast: 2_000 },
  { bench: 'estimate-memory', figure: 'growth_mb', words: 'more memory from photo 400 on, MB', atMost: 50 },
  { bench: 'estimate-memory', figure: 'rss_mb', words: 'memory of API and engines, MB', atMost: 1_200 },
  { bench: 'pose', figure: 'photo_p95_ms', words: 'p95 of a photo of 12 megapixels, ms', atMost: 350 },
  { bench: 'pose', figure: 'per_s_two', words: 'photos a second with two engines', atLeast: 6 },
  { bench: 'pose', figure: 'loop_p99_ms', words: 'event loop p99 beside two engines, ms', atMost: 25 },
  { bench: 'pose', figure: 'ready_ms', words: 'until the first engine is ready, ms', atMost: 2_000 },
  { bench: 'pose', figure: 'rss_mb', words: 'memory with two engines, MB', atMost: 1_200 },
  { bench: 'pose-memory', figure: 'photos', words: 'photos that were looked at', atLeast: 2_000 },
  { bench: 'pose-memory', figure: 'growth_mb', words: 'more memory from photo 400 on, MB', atMost: 50 },
]

/** Prints the promises that the figures speak of; answers whether all of them hold. */
export const printPromises = (figures: ReadonlyMap<string, Figures>): boolean => {
  const rows = promised
    .filter(({ bench }) => figures.has(bench))
    .map((one) => ({ ...one, measured: figures.get(one.bench)?.[one.figure] ?? Number.NaN }))
    .map((one) => ({ ...one, holds: holds(one) }))
  for (const { bench, words, atLeast, atMost, measured, holds: kept } of rows) {
    const bound = atLeast === undefined ? `at most ${atMost}` : `at least ${atLeast}`
    const columns = [bench.padEnd(10), words.padEnd(44), bound.padEnd(14), measured.toFixed(2).padStart(8)]
    console.log(`${columns.join(' ')}   ${kept ? 'holds' : 'DOES NOT HOLD'}`)
  }
  return rows.every((row) => row.holds)
}

/** A figure that is missing holds nothing. */
const holds = ({ measured, atLeast = -Infinity, atMost = Infinity }: Promised & { measured: number }): boolean =>
  measured >= atLeast && measured <= atMost
