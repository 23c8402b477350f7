import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { z } from 'zod'
import type { PlatformView } from '../../adapters/postgres/platform-view.ts'
import type { System } from '../../app/system.ts'
import { partitionOf } from '../../events/ids.ts'
import {
  FactsAnswer,
  LetterAnswer,
  OpenedLetterAnswer,
  ProjectionsAnswer,
  pageOf,
  ReconciliationAnswer,
  RefundAnswer,
  SessionAnswer,
} from '../answers.ts'
import type { Client } from '../client.ts'
import type { Pictures } from './pictures.ts'
import { chargeOf, type Plot, type Scene } from './plot.ts'
import type { Outcome, SceneOutcome } from './verdict.ts'

const POLL_MS = 50
/** Tables follow within milliseconds; what is missing after this shows as a difference. */
const TABLES_MS = 10_000

/** Plays the producers of all scenes: each charges and writes its row in one transaction, and then pushes its task. */
export const playProducers = async (plot: Plot, system: System, client: Client, pictures: Pictures): Promise<void> => {
  const upload = (all: readonly Uint8Array[]) => Promise.all(all.map((picture) => client.upload(picture)))
  const urls = {
    persons: await upload(pictures.persons),
    garments: await upload(pictures.garments),
    accessories: await upload(pictures.accessories),
  }
  for (const scene of plot.scenes) {
    await playProducer(scene, urlsOf(scene, plot.accounts.indexOf(scene.account), urls), system, client)
  }
  await push(system, plot.garbage, 0)
}

const urlsOf = (scene: Scene, person: number, urls: Record<'persons' | 'garments' | 'accessories', string[]>) => {
  const turn = (all: readonly string[], at: number) => all[at % all.length] ?? ''
  const accessories = scene.accessories ? urls.accessories : []
  return [turn(urls.persons, person), turn(urls.garments, scene.garment), ...accessories]
}

const playProducer = async (scene: Scene, imageUrls: string[], system: System, client: Client): Promise<void> => {
  const { account, sessionId } = scene
  const { owner } = account
  const task = {
    task_id: randomUUID(),
    ...(owner.channel === 'b2b'
      ? { channel: 'b2b', store_id: owner.storeId }
      : { channel: 'b2c', user_id: owner.userId }),
    session_id: sessionId,
    image_urls: imageUrls,
    prompt: '',
    request_id: `req_${randomUUID()}`,
    version: 1,
    created_at: new Date().toISOString(),
  }
  const payment = { charge: chargeOf(account), ...(account.email && { shopper_email: account.email }) }
  await client.post('/v1/rehearsal/orders', { ...task, ...payment }, z.object({ session_id: z.string() }))
  const partition = partitionOf(sessionId, system.opened.log.partitions)
  if (scene.sent === 'malformed') {
    // HTTP would refuse it with 400; from a queue it has to be dealt with.
    await push(system, Buffer.from(JSON.stringify({ ...task, image_urls: [] })), partition)
    return
  }
  await client.post('/v1/generations', task, z.object({ session_id: z.string() }))
  if (scene.sent === 'once') return
  await client.post('/v1/generations', task, z.object({ session_id: z.string() }))
  await push(system, Buffer.from(JSON.stringify(task)), partition)
}

const push = (system: System, bytes: Uint8Array, partition: number): Promise<void> =>
  system.opened.log.publish([{ partition, bytes, source: 'inbox' }])

/** Waits until the tables show every fact, then reads what became of everything. */
export const readOutcome = async (plot: Plot, client: Client, view: PlatformView): Promise<Outcome> => {
  await tablesFollow(client)
  const refunds = (await client.get('/v1/refunds', pageOf(RefundAnswer))).items
  const scenes = new Map<string, SceneOutcome>()
  for (const { sessionId } of plot.scenes) {
    scenes.set(sessionId, {
      session: await client.get(`/v1/generations/${sessionId}`, SessionAnswer),
      facts: (await client.get(`/v1/generations/${sessionId}/facts`, FactsAnswer)).items,
      row: await view.row(sessionId),
      refund: refunds.find((refund) => refund.session_id === sessionId) ?? null,
    })
  }
  const balances = new Map<string, number | null>()
  for (const { name, owner, email } of plot.accounts) balances.set(name, await view.balance(owner, email))
  return {
    scenes,
    balances,
    letters: await lettersOf(client),
    reconciliation: await client.get('/v1/reconciliation', ReconciliationAnswer),
  }
}

const lettersOf = async (client: Client): Promise<OpenedLetterAnswer[]> => {
  const { items } = await client.get('/v1/dead-letters', pageOf(LetterAnswer))
  return Promise.all(items.map(({ id }) => client.get(`/v1/dead-letters/${id}`, OpenedLetterAnswer)))
}

const tablesFollow = async (client: Client): Promise<void> => {
  for (const end = performance.now() + TABLES_MS; performance.now() < end; await sleep(POLL_MS)) {
    const { items } = await client.get('/v1/projections', ProjectionsAnswer)
    if (items.every(({ lag_facts }) => lag_facts === 0)) return
  }
}
