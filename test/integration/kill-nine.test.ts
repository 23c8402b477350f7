import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openEmbedded } from '../../src/adapters/postgres/embedded.ts'
import { migrate } from '../../src/adapters/postgres/migrate.ts'
import type { Sql } from '../../src/adapters/postgres/sql.ts'
import { ProjectionsAnswer, pageOf, ReconciliationAnswer, SessionAnswer } from '../../src/cli/answers.ts'
import { Client } from '../../src/cli/client.ts'
import type { SessionId } from '../../src/events/ids.ts'
import { sessionTable } from '../../src/machines/compile.ts'
import { drawPerson } from '../../src/pictures/draw.ts'
import type { Evidence } from '../../src/projections/evidence.ts'
import { violations } from '../../src/projections/invariants.ts'
import { eventually } from '../support/eventually.ts'
import { readEvidence } from '../support/evidence.ts'
import { everyone, Producers, users } from '../support/load.ts'
import { fateOf } from '../support/quick-provider.ts'
import { announced, end, launch, type Running } from '../support/server-process.ts'
import { plantUnrecordedRefunds } from '../support/unrecorded-refunds.ts'

/** Fewer while one works on something, more to look for what is rare. */
const ROUNDS = Number(process.env['KILL_NINE_ROUNDS'] ?? 20)
/** Enough for the planted fault: every kill meets refunds that were paid and not yet recorded. */
const PLANTED_ROUNDS = 3
const SEED = Number(process.env['KILL_NINE_SEED'] ?? Date.now() % 1_000_000)
const PRODUCERS = 4
/** At the latest so long after the server's first answer, or after its start. */
const KILL_AFTER_MS = 1_800
const KILL_START_AFTER_MS = 3_000
const REST_MS = 60_000
const TEST_MS = 240_000

let folder: string
const children: Running[] = []

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'wearon-kill-'))
})
afterEach(async () => {
  for (const { child } of children.splice(0)) child.kill('SIGKILL')
  await rm(folder, { recursive: true, force: true })
})

describe(`a server killed again and again under load (seed ${SEED})`, () => {
  it(`loses nothing, fails nothing and pays nothing twice in ${ROUNDS} rounds`, { timeout: TEST_MS }, async () => {
    const { evidence, balanced, log } = await killAgainAndAgain(ROUNDS, everyone, anyMoment)
    console.log(log)
    expect(violations(sessionTable, evidence, { atRest: true })).toEqual([])
    expect(endedOtherwise(evidence)).toEqual([])
    expect(balanced).toBe(true)
    expect(evidence.accepted.size).toBeGreaterThan(ROUNDS)
  })

  it('is caught paying twice without the record of its refunds', { timeout: TEST_MS }, async () => {
    await onDatabase(async (sql) => {
      await migrate(sql)
      await plantUnrecordedRefunds(sql)
    })
    const { evidence, balanced } = await killAgainAndAgain(PLANTED_ROUNDS, users, () => 'refund')
    const found = violations(sessionTable, evidence, { atRest: true })
    expect(found.map(({ promise }) => promise)).toContain('nothing is done twice where it costs money')
    expect(balanced).toBe(false)
  })
})

/** When a round's kill falls: while the server starts, while it works, or right after the ledger's commit of a refund. */
type Moment = 'start' | 'work' | 'refund'

const anyMoment = (round: number): Moment => (['work', 'refund', 'work', 'start', 'work'] as const)[round % 5] ?? 'work'

const killAgainAndAgain = async (rounds: number, accounts: readonly object[], momentOf: (round: number) => Moment) => {
  const random = chance(SEED)
  let server = start()
  let client = new Client(await announced(server))
  const picture = await client.upload(await drawPerson(1))
  const producers = new Producers(PRODUCERS, accounts, () => client, picture)
  const log: string[] = []
  for (let round = 1; round <= rounds; round++) {
    const moment = momentOf(round)
    const afterMs = Math.round(random() * (moment === 'start' ? KILL_START_AFTER_MS : KILL_AFTER_MS))
    if (moment !== 'start') client = new Client(await announced(server))
    // The moment of the kill is what the test is about: this waits for nothing else.
    if (moment === 'refund') await paidOne(server)
    else await sleep(afterMs)
    await end(server, 'SIGKILL')
    const when = moment === 'refund' ? 'after a refund was paid' : `${afterMs} ms into its ${moment}`
    log.push(`round ${round}: killed ${when}, ${producers.acknowledged.size} sessions acknowledged`)
    server = start()
  }
  client = new Client(await announced(server))
  await producers.stop()
  await comesToRest(client)
  const { balanced } = await client.get('/v1/reconciliation', ReconciliationAnswer)
  expect(await end(server)).toMatchObject({ code: 0 })
  const evidence = await onDatabase((sql) => readEvidence(sql, producers.acknowledged))
  return { evidence, balanced, log: log.join('\n') }
}

/** Resolves as soon as the server says that the ledger holds a refund more. */
const paidOne = ({ stdout }: Running): Promise<void> =>
  eventually(() => {
    if (!stdout().includes('paid')) throw new Error('no refund was paid')
  })

/** One public address for all of them, so that the picture's URL stays theirs. */
const start = (): Running => {
  const server = launch(folder, {
    file: 'test/processes/quick-server.ts',
    PARTITIONS: '8',
    PUBLIC_URL: 'http://kill-nine.test',
  })
  children.push(server)
  return server
}

const comesToRest = (client: Client): Promise<void> =>
  eventually(async () => {
    for (const state of ['queued', 'processing', 'failed']) {
      const { items } = await client.get(`/v1/generations?state=${state}`, pageOf(SessionAnswer))
      if (items.length > 0) throw new Error(`${items[0]?.session_id} is ${state}: ${items[0]?.failure_code}`)
    }
    const { items } = await client.get('/v1/projections', ProjectionsAnswer)
    if (items.some(({ lag_facts }) => lag_facts > 0)) throw new Error('the tables lag')
  }, REST_MS)

const onDatabase = async <Result>(work: (sql: Sql) => Promise<Result>): Promise<Result> => {
  const sql = await openEmbedded(folder)
  try {
    return await work(sql)
  } finally {
    await sql.close()
  }
}

/** Sessions whose end is not the one that the provider gave them: failed or refunded for another reason. */
const endedOtherwise = ({ accepted, facts }: Evidence): string[] =>
  [...accepted].flatMap((id) => {
    const ends = facts.get(id)?.map(({ type }) => type) ?? []
    const must = expectedEnd(id)
    return ends.includes(must) ? [] : [`${id} (${fateOf(id)}): ${ends.join(', ')}`]
  })

const expectedEnd = (id: SessionId) => (fateOf(id) === 'refused' ? 'refund.issued' : 'generation.completed')

/** Uniform numbers in [0, 1), the same for the same seed (mulberry32). */
const chance = (seed: number) => () => {
  seed = (seed + 0x6d2b79f5) | 0
  let mixed = Math.imul(seed ^ (seed >>> 15), seed | 1)
  mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
  return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
}
