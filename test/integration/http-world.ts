import { randomUUID } from 'node:crypto'
import { memoryLog } from '../../src/adapters/memory/event-log.ts'
import { memoryObjects } from '../../src/adapters/memory/objects.ts'
import { openMemoryStore } from '../../src/adapters/memory/store.ts'
import { emptyStoreState } from '../../src/adapters/memory/store-state.ts'
import { newSecret } from '../../src/adapters/system/secret.ts'
import { parseMessage } from '../../src/events/command.ts'
import type { NewFact } from '../../src/events/fact.ts'
import { SessionId } from '../../src/events/ids.ts'
import { createHttp, routesOf } from '../../src/http/app.ts'
import { Gate } from '../../src/http/gate.ts'
import { listen } from '../../src/http/listen.ts'
import { type Check, defaultLimits, type HttpLimits, type HttpParts, type ProcessStatus } from '../../src/http/parts.ts'
import { PromMeter } from '../../src/http/prom-meter.ts'
import type { EventLog, Step } from '../../src/machines/ports/event-log.ts'
import { eraseSome } from '../../src/projections/erase-some.ts'
import { BATCH_FACTS } from '../../src/projections/project.ts'
import { refunds } from '../../src/projections/refunds.ts'
import { sessions } from '../../src/projections/sessions.ts'
import { realClock } from '../support/clock.ts'
import { factAt } from '../support/facts.ts'
import { heldAgainstSchemas } from './http-answers.ts'

const PARTITIONS = 4

export const newSession = (): SessionId => SessionId.parse(randomUUID())

/** A task as a producer writes it. */
export const taskOf = (changes: Record<string, unknown> = {}): Record<string, unknown> => ({
  task_id: randomUUID(),
  channel: 'b2b',
  store_id: '0190b5f8-0000-7000-8000-00000000000a',
  session_id: newSession(),
  image_urls: ['https://images.example/person.jpg', 'https://images.example/garment.jpg'],
  prompt: '',
  request_id: 'req_1',
  version: 1,
  created_at: '2026-01-15T10:00:00Z',
  ...changes,
})

export interface LogLine {
  readonly level: 'info' | 'warn' | 'error'
  readonly message: string
  readonly [field: string]: unknown
}

type Changes = Partial<Omit<HttpParts, 'limits'>> & { readonly limits?: Partial<HttpLimits> }

/** The HTTP side on a real socket, over a log and a store in memory; no worker runs: the test says what happens. */
export const openWorld = async ({ limits, ...changes }: Changes = {}) => {
  const lines: LogLine[] = []
  const metrics = new PromMeter({
    processMetrics: false,
    onUnknown: (error) => {
      throw error
    },
  })
  const write = (level: LogLine['level']) => (fields: object, message: string) => {
    lines.push({ ...fields, level, message })
  }
  const env = {
    clock: realClock,
    meter: metrics,
    logger: { info: write('info'), warn: write('warn'), error: write('error') },
    newId: () => randomUUID(),
    random: () => 0.5,
  }
  const store = openMemoryStore(emptyStoreState(), { clock: realClock, rowsOwner: 'ours' })
  const log = memoryLog({ clock: realClock, newId: env.newId, partitions: PARTITIONS })
  const published: Uint8Array[] = []
  const parts: HttpParts = {
    log: recording(log, published),
    queries: store.queries,
    acceptances: store.acceptances,
    archive: store.archive,
    tables: store.tables,
    past: store.past,
    orphans: store.orphans,
    erase: (owner, by) =>
      eraseSome({ erasure: store.erasure, objects: { remove: async () => 0 }, letters: log.letters }, owner, by),
    objects: null,
    images: memoryObjects(() => Date.now()),
    rebuild: null,
    repair: null,
    bodies: null,
    rehearsal: null,
    keys: store.apiKeys,
    audit: store.audit,
    pauses: store.pauses,
    paused: () => [],
    handbacks: store.handbacks,
    hasProducersList: true,
    newSecret,
    operatorToken: null,
    consoleSecret: 'of the test',
    trustedProxies: [],
    publicUrl: () => 'http://127.0.0.1:8000',
    status: () => quiet,
    checks: [] satisfies Check[],
    metrics,
    env,
    ...changes,
    limits: { ...defaultLimits, backlogCacheMs: 0, checkCacheMs: 0, ...limits },
  }
  const http = createHttp(parts)
  const faults: string[] = []
  const handler = heldAgainstSchemas(http.handler, routesOf(parts, new Gate(parts)), faults)
  const server = await listen({ ...http, handler }, { host: '127.0.0.1', port: 0 })
  const journal = journalOf(store.archive)
  const project = async () => {
    for (const one of [sessions, refunds]) {
      const from = await store.tables.position(one.name)
      const facts = await store.archive.read(from, BATCH_FACTS)
      const to = facts.at(-1)?.ordinal
      if (to !== undefined) await store.tables.apply(one.name, from, to, one.patches(facts))
    }
  }
  return {
    ...server,
    /** Rejects when an answer was not what its route's schema says. */
    close: async (graceMs: number) => {
      await server.close(graceMs)
      if (faults.length > 0) throw new Error(`answers that their schemas do not know:\n${faults.join('\n')}`)
    },
    parts,
    store,
    lines,
    project,
    /** What the log took, read as its owner would. */
    published: () => published.map((bytes) => parseMessage(bytes, 'http')),
    /** Facts that happen to a session, archived; they show in the tables after `project()`. */
    happen: (id: SessionId, ...facts: readonly NewFact[]) => journal(id, facts),
    get: (path: string, headers: Record<string, string> = {}) => fetch(server.url + path, { headers }),
    send: (method: string, path: string, headers: Record<string, string> = {}) =>
      fetch(server.url + path, { method, headers }),
    post: (body: unknown, headers: Record<string, string> = {}) =>
      fetch(`${server.url}/v1/generations`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...headers },
        body: typeof body === 'string' ? body : JSON.stringify(body),
      }),
    metrics: () => metrics.expose(),
  }
}

export type World = Awaited<ReturnType<typeof openWorld>>

/** The body of an answer, as JSON. */
export const json = async (response: Response): Promise<Record<string, unknown>> =>
  (await response.json()) as Record<string, unknown>

const quiet: ProcessStatus = { loops: [], partitions: [], draining: false }

const recording = (log: EventLog, published: Uint8Array[]): HttpParts['log'] => ({
  partitions: log.partitions,
  publish: async (messages) => {
    await log.publish(messages)
    published.push(...messages.map(({ bytes }) => bytes))
  },
  letters: log.letters,
  readers: log.readers,
})

/** Archives facts as steps of one partition, each session's with the next numbers. */
const journalOf = (archive: { append(log: string, steps: readonly Step[]): Promise<number | 'moved'> }) => {
  const seqs = new Map<SessionId, number>()
  let previous: { number: number; id: string } | null = null
  return async (id: SessionId, facts: readonly NewFact[]): Promise<void> => {
    const first = (seqs.get(id) ?? 0) + 1
    seqs.set(id, first + facts.length - 1)
    const step: Step = {
      format: 1,
      number: (previous?.number ?? 0) + 1,
      id: randomUUID(),
      partition: 0,
      previous: previous?.id ?? null,
      epoch: 1,
      at: '2026-01-15T10:00:00.000Z',
      facts: facts.map((fact, index) => factAt(first + index, fact, undefined, id)),
    }
    previous = step
    const outcome = await archive.append('log', [step])
    if (outcome === 'moved') throw new Error('another process writes the archive')
  }
}
