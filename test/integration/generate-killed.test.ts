import { randomUUID } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { FactsAnswer, ReconciliationAnswer } from '../../src/cli/answers.ts'
import { Client } from '../../src/cli/client.ts'
import type { FactOf, FactType } from '../../src/events/fact.ts'
import { newDataFolder, removeFolder } from '../support/data-folder.ts'
import { eventually } from '../support/eventually.ts'
import { errorBody, imageBody, madePng } from '../support/openai-answers.ts'
import { type OpenaiServer, startOpenai } from '../support/openai-server.ts'
import { publishDrawn, reaches } from '../support/rehearse.ts'
import { announced, end, launch, type Running } from '../support/server-process.ts'

/** A process that is killed starts again each time; on two busy cores that takes seconds. */
const TEST_MS = 240_000
const BOMB_TRIES = 5

let folder: string
let openai: OpenaiServer
const children: Running[] = []

beforeEach(async () => {
  folder = await newDataFolder()
  openai = await startOpenai()
})
afterEach(async () => {
  for (const { child } of children.splice(0)) child.kill('SIGKILL')
  await openai.close()
  await removeFolder(folder)
})

/** A server that kills itself when the session comes to the point; on the same folder and under the same public address. */
const start = async (killAt: string, victim: string) => {
  const server = launch(folder, {
    file: 'test/processes/deadly-server.ts',
    KILL_AT: killAt,
    KILL_SESSION: victim,
    OPENAI_API_KEY: openai.apiKey,
    OPENAI_BASE_URL: openai.url,
    PARTITIONS: '4',
    PUBLIC_URL: 'http://killed.test',
  })
  children.push(server)
  return { server, client: new Client(await announced(server)) }
}

const factsOf = async (client: Client, id: string) =>
  (await client.get(`/v1/generations/${id}/facts`, FactsAnswer)).items

const only = <Type extends FactType>(facts: Awaited<ReturnType<typeof factsOf>>, type: Type): FactOf<Type> => {
  const [one, ...more] = facts.filter((fact) => fact.type === type)
  expect(more).toEqual([])
  expect(one).toBeDefined()
  return one as FactOf<Type>
}

const providerHolds = (requests: number) => eventually(() => expect(openai.held).toBe(requests))

const booksBalance = (client: Client) =>
  eventually(async () => {
    const { balanced, owed } = await client.get('/v1/reconciliation', ReconciliationAnswer)
    expect({ balanced, owed }).toEqual({ balanced: true, owed: 0 })
  })

interface Kill {
  readonly at: string
  readonly paid: number
  readonly tries: number
  /** The image was found in storage. */
  readonly found?: true
}

/** Between any two steps of a try that ends in an image. In storage: one paid call. Before: at most two. */
const kills: readonly Kill[] = [
  { at: 'before generation.started', paid: 1, tries: 1 },
  { at: 'after generation.started', paid: 1, tries: 2 },
  { at: 'pictures', paid: 1, tries: 2 },
  { at: 'while the provider works', paid: 2, tries: 2 },
  { at: 'answer', paid: 2, tries: 2 },
  { at: 'upload', paid: 1, tries: 2, found: true },
  { at: 'after generation.completed', paid: 1, tries: 1 },
]

describe('a process killed between two steps', () => {
  it('of a generation: the session completes once, for one paid call where storage has it', {
    timeout: TEST_MS,
  }, async () => {
    const image = imageBody(await madePng())
    const sessions = kills.map((kill) => ({ ...kill, id: randomUUID() }))
    let { server, client } = await start(kills[0]?.at ?? '', sessions[0]?.id ?? '')
    for (const [index, { id, at, paid, tries, found = false }] of sessions.entries()) {
      const hangs = at === 'while the provider works'
      openai.act(...(hangs ? (['hang'] as const) : []), { body: image })
      await publishDrawn(client, id)
      if (hangs) {
        await providerHolds(1)
        server.child.kill('SIGKILL')
      }
      expect({ at, signal: (await server.ended).signal }).toEqual({ at, signal: 'SIGKILL' })
      ;({ server, client } = await start(sessions[index + 1]?.at ?? 'never', sessions[index + 1]?.id ?? ''))
      expect({ at, ...(await reaches(client, id, 'completed')) }).toMatchObject({ at, attempts: tries })
      const { result, attempt } = only(await factsOf(client, id), 'generation.completed').data
      expect({ at, paid: openai.paid, attempt, found: result.found }).toEqual({ at, paid, attempt: tries, found })
      // Found in full: what made it lay beside it.
      expect(result.provenance).toMatchObject({ generator: 'openai' })
      expect(result.provenance.providerRequestId).toMatch(/^req_/)
      expect(result.usage.costUsd).toBeGreaterThan(0)
    }
    await booksBalance(client)
    expect(await end(server)).toMatchObject({ code: 0 })
  })

  it('of a refund: the credit comes back once', { timeout: TEST_MS }, async () => {
    const points = ['after generation.failed', 'payment', 'after refund.issued']
    const sessions = points.map((at) => ({ at, id: randomUUID() }))
    let { server, client } = await start(points[0] ?? '', sessions[0]?.id ?? '')
    for (const [index, { id, at }] of sessions.entries()) {
      openai.act({ status: 400, body: errorBody('moderation_blocked') })
      await publishDrawn(client, id)
      expect({ at, signal: (await server.ended).signal }).toEqual({ at, signal: 'SIGKILL' })
      ;({ server, client } = await start(sessions[index + 1]?.at ?? 'never', sessions[index + 1]?.id ?? ''))
      expect({ at, ...(await reaches(client, id, 'refunded')) }).toMatchObject({
        at,
        failure_code: 'moderation_blocked',
      })
      only(await factsOf(client, id), 'refund.issued')
      expect({ at, asked: openai.begun }).toEqual({ at, asked: 1 })
    }
    await booksBalance(client)
  })
})

describe('a picture that kills the process', () => {
  it('kills five, is refunded, and holds up nobody else', { timeout: TEST_MS }, async () => {
    openai.act('hang', 'hang', 'hang', { body: imageBody(await madePng()) })
    const bomb = randomUUID()
    let { server, client } = await start('pictures', bomb)
    const others = await Promise.all([1, 2, 3].map(() => publishDrawn(client)))
    await providerHolds(3)
    await publishDrawn(client, bomb)
    for (let kill = 1; kill <= BOMB_TRIES; kill++) {
      expect((await server.ended).signal).toBe('SIGKILL')
      ;({ server, client } = await start('pictures', bomb))
    }
    expect(await reaches(client, bomb, 'refunded')).toMatchObject({ failure_code: 'crashed', attempts: BOMB_TRIES })
    // The first kill took a try of each along. From then on whoever ran when the process died runs alone.
    for (const id of others) expect(await reaches(client, id, 'completed')).toMatchObject({ attempts: 2 })
    expect(openai.paid).toBe(6)
    only(await factsOf(client, bomb), 'refund.issued')
    await booksBalance(client)
  })
})
