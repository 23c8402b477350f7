import { z } from 'zod'
import { eventually } from '../test/support/eventually.ts'
import { type Benchmark, load } from './support/figures.ts'
import { type Answers, fire, type Load } from './support/http-load.ts'
import { RequestMix } from './support/http-mix.ts'
import { type HttpServer, startHttpServer } from './support/http-server.ts'

const WARM_UP: Load = { connections: 100, perSecond: 2_000, seconds: 10 }
const STEADY: Load = { connections: 100, perSecond: 2_000, seconds: 60 }
/** More connections than requests are worked on at once, so that some must be told to come again. */
const OVERLOAD: Load = { connections: 1_500, perSecond: 6_000, seconds: 10 }
const DRAIN_MS = 120_000

/** The API on the embedded database at 2,000 requests a second, one in ten a publication, and at three times as many. */
export const http: Benchmark = async () => {
  const server = await startHttpServer()
  try {
    const mix = new RequestMix(server.bearer)
    report('warm-up', await fire(server.url, mix, WARM_UP))
    await drained(server, mix)
    const before = await server.stands()
    const rssBefore = server.rssMb()
    const loadBefore = process.cpuUsage()
    const steady = await fire(server.url, mix, STEADY)
    report('steady', steady)
    const after = await server.stands()
    const requests = STEADY.perSecond * STEADY.seconds
    const cpuUs = ((after.cpuMs - before.cpuMs) * 1_000) / requests
    const { user, system } = process.cpuUsage(loadBefore)
    const loadUs = (user + system) / requests
    console.log(
      `CPU time of a request: server ${cpuUs.toFixed(0)} µs, sessions included; its client ${loadUs.toFixed(0)} µs`,
    )
    const overload = await fire(server.url, mix, OVERLOAD)
    report('overload', overload)
    const rssPeak = server.rssMb()
    const lost = await drained(server, mix)
    const rested = await server.stands()
    const rssAfter = server.rssMb()
    console.log(`${mix.accepted.size} sessions accepted, ${lost} of them not completed`)
    console.log(
      `all processes: ${mb(rssBefore)} before, ${mb(rssPeak)} after the overload, ${mb(rssAfter)} when drained`,
    )
    console.log(`the server's heap: ${mb(before.heapMb)} before, ${mb(rested.heapMb)} when drained`)
    return {
      per_s: steady.perSecond,
      p50_ms: steady.p50Ms,
      p99_ms: steady.p99Ms,
      errors: strange(steady, [200, 202]),
      cpu_us: cpuUs,
      lost,
      overload_strange: strange(overload, [200, 202, 429, 503]) + overload.withoutRetryAfter,
      overload_slowest_ms: overload.slowestMs,
      heap_growth_mb: rested.heapMb - before.heapMb,
      rss_growth_mb: rssAfter - rssBefore,
      rss_mb: Math.max(rssBefore, rssPeak, rssAfter),
    }
  } finally {
    await server.stop()
  }
}

const mb = (value: number): string => `${value.toFixed(0)} MB`

const report = (title: string, answers: Answers): void => {
  const { perSecond, p50Ms, p99Ms, slowestMs, statuses, lost } = answers
  const counts = [...statuses].map(([status, count]) => `${count} times ${status}`).join(', ')
  const times = `p50 ${p50Ms.toFixed(1)} ms, p99 ${p99Ms.toFixed(1)} ms, the slowest ${slowestMs.toFixed(0)} ms`
  console.log(`${title}: ${perSecond.toFixed(0)} answers/s, ${times}; ${counts}, ${lost} lost   (${load()})`)
}

/** Answers of other kinds than these, and requests that got none. */
const strange = ({ statuses, lost }: Answers, expected: readonly number[]): number =>
  [...statuses].reduce((sum, [status, count]) => sum + (expected.includes(status) ? 0 : count), lost)

const Page = z.object({
  items: z.array(z.object({ session_id: z.string(), state: z.string() })),
  next: z.string().nullable(),
})

/** Waits until no session is open any more; answers how many of those accepted did not complete. */
const drained = async (server: HttpServer, mix: RequestMix): Promise<number> => {
  await eventually(async () => {
    for (const state of ['queued', 'processing']) {
      const { items } = await server.client.get(`/v1/generations?limit=1&state=${state}`, Page)
      if (items.length > 0) throw new Error(`some sessions are still ${state}`)
    }
  }, DRAIN_MS)
  const completed = await completedOf(server)
  return [...mix.accepted].filter((id) => !completed.has(id)).length
}

const completedOf = async (server: HttpServer): Promise<Set<string>> => {
  const completed = new Set<string>()
  for (let cursor = ''; ; ) {
    const page = await server.client.get(`/v1/generations?limit=200&state=completed${cursor}`, Page)
    for (const { session_id: id } of page.items) completed.add(id)
    if (page.next === null) return completed
    cursor = `&cursor=${encodeURIComponent(page.next)}`
  }
}
