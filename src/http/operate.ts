import { z } from 'zod'
import { lagSecondsOf } from '../projections/lag-watch.ts'
import { shadowName } from '../projections/store.ts'
import { ofService } from './access.ts'
import { ProjectionsAnswer, RebuildAnswer, RepairAnswer } from './answer-schemas.ts'
import type { HttpParts } from './parts.ts'
import { Problem, reach } from './problem.ts'
import { type Answer, type Route, route } from './route.ts'
import { projectionJson } from './views.ts'

const PROJECTION_NAME_MAX = 100
/** A repair reads a whole journal. */
const REPAIR_MS = 120_000

/** What operators look at and set right. */
export const operateRoutes = (parts: HttpParts): Route[] => [
  route({
    method: 'get',
    path: '/v1/projections',
    title: 'How far each projection is',
    answer: ProjectionsAnswer,
    access: ofService('operate'),
    handle: () => listProjections(parts),
  }),
  route({
    method: 'post',
    path: '/v1/projections/:name/rebuild',
    title: 'Compute a projection anew, and correct what differs',
    answer: RebuildAnswer,
    access: ofService('operate'),
    action: 'projection.rebuild',
    params: z.strictObject({ name: z.string().max(PROJECTION_NAME_MAX) }),
    handle: ({ params }) => startRebuild(params.name, parts),
  }),
  route({
    method: 'post',
    path: '/v1/partitions/:partition/repair',
    title: 'Bring a damaged partition in line with the archive',
    answer: RepairAnswer,
    access: ofService('operate'),
    action: 'partition.repair',
    params: z.strictObject({
      partition: z
        .string()
        .regex(/^\d{1,6}$/, 'is not a number')
        .transform(Number),
    }),
    timeoutMs: REPAIR_MS,
    handle: ({ params }) => repairPartition(params.partition, parts),
  }),
]

const listProjections = async ({ archive, tables, env }: HttpParts): Promise<Answer> => {
  // The head first: a position may be ahead of it, and then lags by nothing.
  const head = await reach(archive.head())
  const statuses = await reach(tables.status())
  const named = (name: string) => statuses.find((one) => one.name === name) ?? null
  const asides = new Set(statuses.map(({ name }) => shadowName(name)))
  const live = statuses.filter(({ name }) => !asides.has(name))
  const items = live.map(async (status) => {
    const lagSeconds = await reach(lagSecondsOf(status.position, head, archive, env.clock.now()))
    return projectionJson(status, named(shadowName(status.name)), head, lagSeconds)
  })
  return { status: 200, body: { head, items: await Promise.all(items) } }
}

const startRebuild = async (name: string, { rebuild }: HttpParts): Promise<Answer> => {
  if (rebuild === null) throw new Problem('not_in_this_process')
  const outcome = await reach(rebuild(name))
  if (outcome === 'unknown') throw new Problem('projection_unknown')
  if (outcome === 'running') throw new Problem('rebuild_running')
  return { status: 202, headers: { Location: '/v1/projections' }, body: { name, state: 'rebuilding' } }
}

const repairPartition = async (partition: number, { log, repair }: HttpParts): Promise<Answer> => {
  if (repair === null) throw new Problem('not_in_this_process')
  if (partition >= log.partitions) throw new Problem('partition_unknown')
  const repaired = await reach(repair(partition))
  if (repaired === null) throw new Problem('repair_not_possible')
  return { status: 200, body: repaired }
}
