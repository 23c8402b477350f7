import { openEmbedded } from '../src/adapters/postgres/embedded.ts'
import { migrate } from '../src/adapters/postgres/migrate.ts'
import { makeBookRows } from './support/book-rows.ts'
import { type Benchmark, load, median, quantile } from './support/figures.ts'
import { type HttpServer, startHttpServer } from './support/http-server.ts'

const SESSIONS = 100_000
const ASKED = 200
/** What people look for, the most tedious last: a state in which there is none, and what many have. */
const LISTS = ['', '?channel=b2b', '?state=failed', '?state=refunded&limit=200', '?state=queued']

/** The list of sessions over HTTP, page by page as the console asks for it, with 100,000 sessions in the embedded database. */
export const httpList: Benchmark = async () => {
  const server = await startHttpServer(fill)
  try {
    const p95 = new Map<string, number>()
    for (const query of LISTS) p95.set(query, await listed(server, query))
    return { p95_ms: Math.max(...p95.values()) }
  } finally {
    await server.stop()
  }
}

const fill = async (dataDir: string): Promise<void> => {
  const sql = await openEmbedded(dataDir)
  await migrate(sql)
  await makeBookRows(sql, SESSIONS)
  await sql.close()
}

const listed = async (server: HttpServer, query: string): Promise<number> => {
  const tookMs: number[] = []
  for (let asked = 0; asked < ASKED; asked++) {
    const startedAt = performance.now()
    const answer = await fetch(`${server.url}/v1/generations${query}`, { headers: { authorization: server.bearer } })
    await answer.arrayBuffer()
    if (answer.status !== 200) throw new Error(`answered with status ${answer.status}`)
    tookMs.push(performance.now() - startedAt)
  }
  const p95 = quantile(tookMs, 0.95)
  const figures = `p50 ${median(tookMs).toFixed(1)} ms, p95 ${p95.toFixed(1)} ms`
  console.log(`/v1/generations${query} of ${SESSIONS}: ${figures}   (${load()})`)
  return p95
}
