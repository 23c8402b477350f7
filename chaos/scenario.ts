import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { z } from 'zod'
import { openFolderObjects } from '../src/adapters/folder/objects.ts'
import { postgresProducer } from '../src/adapters/postgres/producer.ts'
import type { Sql } from '../src/adapters/postgres/sql.ts'
import { ReconciliationAnswer } from '../src/cli/answers.ts'
import { Client } from '../src/cli/client.ts'
import { SessionId } from '../src/events/ids.ts'
import { drawPerson } from '../src/pictures/draw.ts'
import type { Violation } from '../src/projections/invariants.ts'
import { readEvidence } from '../test/support/evidence.ts'
import { type Act, describeAct, lastsMs, planActs, SLOTS, WORKERS } from './acts.ts'
import { Chance } from './chance.ts'
import { Fleet } from './fleet.ts'
import { judge } from './judge.ts'
import { Operator } from './operator.ts'
import { Ownership } from './ownership.ts'
import { Producers } from './producers.ts'
import { Provider } from './provider.ts'
import { Readers } from './readers.ts'
import { type LogKind, type Servers, startServers } from './servers.ts'
import { planSessions, type Route } from './sessions.ts'
import { type Played, Stage, within } from './stage.ts'

/** After the last fault and the last order everything ends within this. */
const REST_MS = 120_000
const EFFECT_MS = [50, 200] as const
const PICTURE_VALID_MS = 6 * 3_600_000
/** What the promise says of a kill -9. */
const RECOVERY_MS = 10_000

export interface ChaosOptions {
  readonly log: LogKind
  readonly sessions: number
  readonly seed: number
  readonly partitions: number
  readonly faults: 'few' | 'all'
  /** Prepares the database before anything runs: a fault of ours that the run must find. */
  readonly plant?: (sql: Sql) => Promise<void>
  readonly say: (line: string) => void
}

export interface ChaosOutcome {
  readonly seed: number
  readonly violations: readonly Violation[]
  readonly played: readonly Played[]
  /** Sessions by the fact that they ended with. */
  readonly ends: Readonly<Record<string, number>>
  readonly tries: number
  readonly refunds: number
  readonly repairs: number
  readonly deadLetters: number
  /** Processes that ended although nobody told them to, or not as they were told. */
  readonly exits: readonly string[]
  readonly tookMs: number
  /** What the processes said, when something was wrong. */
  readonly evidence: string | null
}

/** One run under the faults of one seed: the same faults in the same order each time; what they meet differs with timing. */
export const runChaos = async (options: ChaosOptions): Promise<ChaosOutcome> => {
  const startedAt = Date.now()
  const folder = await mkdtemp(join(tmpdir(), `wearon-chaos-${options.log}-${options.seed}-`))
  const { log, partitions } = options
  const servers = await startServers(log, SLOTS, partitions)
  const provider = new Provider(EFFECT_MS)
  const ownership = new Ownership()
  const harness = { harnessPort: await ownership.listen(), provider: await provider.listen() }
  const fleet = new Fleet({ folder, env: (slot) => servers.env(slot), ...harness })
  let clean = false
  try {
    await options.plant?.(servers.sql)
    const outcome = await play(options, { servers, provider, ownership, fleet, folder })
    clean = outcome.violations.length === 0
    return { ...outcome, tookMs: Date.now() - startedAt, evidence: clean ? null : folder }
  } finally {
    await fleet.killAll()
    await Promise.all([provider.close(), ownership.close()])
    await servers.stop()
    if (clean) await rm(folder, { recursive: true, force: true })
    else await fleet.keepLogs(join(folder, 'logs'))
  }
}

interface World {
  readonly servers: Servers
  readonly provider: Provider
  readonly ownership: Ownership
  readonly fleet: Fleet
  readonly folder: string
}

const play = async (options: ChaosOptions, world: World): Promise<Omit<ChaosOutcome, 'tookMs' | 'evidence'>> => {
  const { servers, fleet, ownership } = world
  const { seed, log, partitions } = options
  const chance = new Chance(seed)
  const possible = { losesItsTail: servers.loseLastSecond !== null, databaseApart: log !== 'postgres' }
  const acts = planActs(chance, options.faults, possible)
  const routes: [Route, ...Route[]] = log === 'redis' ? ['list', 'http', 'inbox'] : ['http', 'inbox']
  const sessions = planSessions(chance, options.sessions, routes)
  const { sql, list } = servers
  const doors = {
    log: servers.log,
    producer: postgresProducer(sql),
    list,
    url: fleet.url,
    picture: await picture(world),
  }
  const producers = new Producers(sessions, doors)
  const stage = new Stage({ servers, fleet, ownership, partitions })
  for (let slot = 0; slot < WORKERS; slot++) await fleet.start(slot)
  if (!(await stage.whole())) throw new Error('the processes did not take all partitions')
  const operator = new Operator(() => fleet.urls)
  const readers = new Readers(sql, () => [...producers.acknowledged.keys()])
  const producing = producers.run(lastsMs(acts))
  const played = await playAll(acts, { stage, producers, readers, chance, sql, log, say: options.say })
  await producing
  const rested = await within(REST_MS, () => isAtRest(sql))
  await operator.stop()
  await readers.stop()
  const found = await booksBalance(fleet.url())
  const deadLetters = await countLetters(fleet.url())
  if (stage.lostAt === null && deadLetters < producers.poison)
    found.push(lost('poison', `${producers.poison} messages were poison, and ${deadLetters} are dead letters`))
  await fleet.stopAll()
  const shown = await readEvidence(sql, new Set(producers.acknowledged.keys()))
  const { tries } = world.provider
  const { silences } = fleet
  const seen = { sessions, shown, tries, readings: readers.readings, committed: ownership.committed, silences }
  found.push(...judge({ ...seen, lostAt: stage.lostAt }), ...slow(played))
  if (!rested) found.push(lost('the run', 'it never came to rest'))
  if (stage.lostAt === null && operator.repaired.length > 0)
    found.push(lost('the log', `${operator.repaired.length} partitions were damaged, and the log had lost nothing`))
  found.push(...[...fleet.exits, ...stage.stuck].map((what) => lost('a process', what)))
  return {
    seed,
    violations: found,
    played,
    ends: endsOf(shown.facts.values()),
    tries: tries.length,
    refunds: shown.refunds.length,
    repairs: operator.repaired.length,
    deadLetters,
    exits: fleet.exits,
  }
}

interface Playing {
  readonly stage: Stage
  readonly producers: Producers
  readonly readers: Readers
  readonly chance: Chance
  readonly sql: Sql
  readonly log: LogKind
  readonly say: (line: string) => void
}

const playAll = async (acts: readonly Act[], playing: Playing): Promise<Played[]> => {
  const { stage, producers, readers, chance, sql, log, say } = playing
  const played: Played[] = []
  for (const act of acts) {
    await sleep(chance.between(200, 800))
    const one = await stage.play(act)
    played.push(one)
    say(`${describeAct(act)}: ${one.wholeAfterMs ?? 'never'} ms until all partitions moved`)
    if (act.kind !== 'lose last second') continue
    if (log === 'postgres') readers.forget()
    await producers.again(await unended(sql, acknowledgedBefore(producers, stage.lostAt ?? 0)))
  }
  return played
}

const acknowledgedBefore = ({ acknowledged }: Producers, at: number): SessionId[] =>
  [...acknowledged].filter(([, acknowledgedAt]) => acknowledgedAt <= at).map(([id]) => id)

const ROWS = `select id, state from public.generation_sessions union all select id, state from public.store_generation_sessions`

/** Those of the given sessions that have not ended, or are unknown. */
const unended = async (sql: Sql, ids: readonly SessionId[]): Promise<SessionId[]> => {
  const rows = await sql.query<{ id: string }>(`select id from (${ROWS}) s where state in ('completed', 'refunded')`)
  const ended = new Set(rows.map(({ id }) => SessionId.parse(id)))
  return ids.filter((id) => !ended.has(id))
}

const isAtRest = async (sql: Sql): Promise<boolean> => {
  const [open] = await sql.query<{ count: number }>(
    `select count(*)::integer as count from (${ROWS}) s where state is null or state not in ('completed', 'refunded')`,
  )
  const [lag] = await sql.query<{ lag: number }>(
    'select ((select head from wearon.archive) - min(position))::integer as lag from wearon.projections',
  )
  return open?.count === 0 && lag?.lag === 0
}

const picture = async ({ folder }: World): Promise<string> => {
  const publicUrl = () => 'http://chaos.test'
  const objects = await openFolderObjects({ folder: join(folder, 'objects'), publicUrl, now: () => Date.now() })
  await objects.put('uploads/person.jpg', await drawPerson(1), {})
  return (await objects.sign('uploads/person.jpg', PICTURE_VALID_MS)).url
}

const booksBalance = async (url: string): Promise<Violation[]> => {
  const { balanced, classes } = await new Client(url).get('/v1/reconciliation', ReconciliationAnswer)
  if (balanced) return []
  return [{ promise: 'the books balance', about: 'the reconciliation', what: JSON.stringify(classes) }]
}

const countLetters = async (url: string): Promise<number> => {
  const { items } = await new Client(url).get(
    '/v1/dead-letters?limit=200',
    z.looseObject({ items: z.array(z.unknown()) }),
  )
  return items.length
}

const slow = (played: readonly Played[]): Violation[] =>
  played.flatMap(({ act, recoveriesMs, wholeAfterMs }) => {
    if (wholeAfterMs === null) return [lost(describeAct(act), 'not all partitions moved again')]
    const worst = Math.max(0, ...recoveriesMs)
    if (act.kind !== 'kill' || worst <= RECOVERY_MS) return []
    return [lost(describeAct(act), `a partition moved again only after ${worst} ms`)]
  })

const lost = (about: string, what: string): Violation => ({ promise: 'nothing accepted is lost', about, what })

const endsOf = (histories: Iterable<readonly { readonly type: string }[]>): Record<string, number> => {
  const ends: Record<string, number> = {}
  for (const facts of histories) {
    const end = facts.at(-1)?.type ?? 'nothing'
    ends[end] = (ends[end] ?? 0) + 1
  }
  return ends
}
