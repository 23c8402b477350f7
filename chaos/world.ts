import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openFolderObjects } from '../src/adapters/folder/objects.ts'
import { postgresProducer } from '../src/adapters/postgres/producer.ts'
import type { Sql } from '../src/adapters/postgres/sql.ts'
import { SessionId } from '../src/events/ids.ts'
import { drawPerson } from '../src/pictures/draw.ts'
import { SLOTS } from './acts.ts'
import { Fleet } from './fleet.ts'
import { Ownership } from './ownership.ts'
import type { Doors } from './producers.ts'
import { Provider } from './provider.ts'
import { type LogKind, type Servers, startServers } from './servers.ts'

const PICTURE_VALID_MS = 6 * 3_600_000

/** Everything around the processes: real servers, the provider, and whoever listens to what the processes tell. */
export interface World {
  readonly servers: Servers
  readonly provider: Provider
  readonly ownership: Ownership
  readonly fleet: Fleet
  readonly doors: Doors
  /** What the processes share: pictures, and afterwards what they said. */
  readonly folder: string
  /** Ends everything. @param keep keeps the folder, with a file of what each process has said. */
  close(keep: boolean): Promise<void>
}

export interface WorldOptions {
  readonly log: LogKind
  readonly seed: number
  readonly partitions: number
  /** How long a try takes. */
  readonly effectMs: readonly [min: number, max: number]
  /** How late the ledger's answers come, ms. */
  readonly refundAnswerMs?: number
}

const REFUND_ANSWER_MS = 100

export const openWorld = async (options: WorldOptions): Promise<World> => {
  const { log, seed, partitions, effectMs, refundAnswerMs = REFUND_ANSWER_MS } = options
  const folder = await mkdtemp(join(tmpdir(), `wearon-chaos-${log}-${seed}-`))
  const servers = await startServers(log, SLOTS, partitions)
  const provider = new Provider(effectMs)
  const ownership = new Ownership()
  const harness = { harnessPort: await ownership.listen(), provider: await provider.listen() }
  const fleet = new Fleet({ folder, env: (slot) => servers.env(slot), refundAnswerMs, ...harness })
  const doors: Doors = {
    log: servers.log,
    producer: postgresProducer(servers.sql),
    list: servers.list,
    url: fleet.url,
    picture: await putPicture(folder),
  }
  const close = async (keep: boolean) => {
    await fleet.killAll()
    await Promise.all([provider.close(), ownership.close()])
    await servers.stop()
    if (keep) await fleet.keepLogs(join(folder, 'logs'))
    else await rm(folder, { recursive: true, force: true })
  }
  return { servers, provider, ownership, fleet, doors, folder, close }
}

const putPicture = async (folder: string): Promise<string> => {
  const publicUrl = () => 'http://chaos.test'
  const objects = await openFolderObjects({ folder: join(folder, 'objects'), publicUrl, now: () => Date.now() })
  await objects.put('uploads/person.jpg', await drawPerson(1), {})
  return (await objects.sign('uploads/person.jpg', PICTURE_VALID_MS)).url
}

const ROWS = `select id, state from public.generation_sessions union all select id, state from public.store_generation_sessions`

/** Those of the given sessions that have not ended, or are unknown. */
export const unended = async (sql: Sql, ids: readonly SessionId[]): Promise<SessionId[]> => {
  const rows = await sql.query<{ id: string }>(`select id from (${ROWS}) s where state in ('completed', 'refunded')`)
  const ended = new Set(rows.map(({ id }) => SessionId.parse(id)))
  return ids.filter((id) => !ended.has(id))
}

/** Every session that was ordered has ended, and every table has seen it. */
export const isAtRest = async (sql: Sql): Promise<boolean> => {
  const [open] = await sql.query<{ count: number }>(
    `select count(*)::integer as count from (${ROWS}) s where state is null or state not in ('completed', 'refunded')`,
  )
  const [lag] = await sql.query<{ lag: number }>(
    'select ((select head from wearon.archive) - min(position))::integer as lag from wearon.projections',
  )
  return open?.count === 0 && lag?.lag === 0
}
