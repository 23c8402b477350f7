import { setTimeout as sleep } from 'node:timers/promises'
import type { Command } from 'commander'
import { z } from 'zod'
import { ProjectionsAnswer } from '../answers.ts'
import { type Client, CommandFailed } from '../client.ts'
import { type Json, talksToServer } from '../options.ts'
import { progressBar } from '../progress.ts'
import { serverOf } from '../server.ts'
import { tableOf } from '../text.ts'

/** What operators look at and mend: projections, damaged partitions. */
export const addOperating = (program: Command): void => {
  const projections = program.command('projections').description('the tables that people query')
  talksToServer(projections.command('status').description('how far each is')).action(showProjections)
  const rebuild = projections
    .command('rebuild <name>')
    .description('compute it anew beside the live rows, and correct what differs')
    .option('--wait', 'until it has ended')
  talksToServer(rebuild).action(rebuildProjection)
  talksToServer(
    program.command('repair <partition>').description('bring a damaged partition back in line with the archive'),
  ).action(repairPartition)
}

const showProjections = async ({ json }: Json, command: Command): Promise<void> => {
  const { head, items } = await serverOf(command).get('/v1/projections', ProjectionsAnswer)
  if (json) return console.log(JSON.stringify({ head, items }))
  console.log(`the archive holds ${head} facts`)
  console.log(
    tableOf([
      ['projection', 'position', 'behind', 'seconds', 'set aside', 'rows gone', 'rebuilt'],
      ...items.map(rowOf),
    ]),
  )
}

const rowOf = (one: ProjectionsAnswer['items'][number]): string[] => [
  ...[one.name, one.position, one.lag_facts, one.lag_seconds, one.set_aside, one.gone].map(String),
  one.rebuild === null ? '' : `${one.rebuild.position} of ${one.rebuild.target}`,
]

interface RebuildOptions extends Json {
  readonly wait?: boolean
}

const rebuildProjection = async (name: string, { wait, json }: RebuildOptions, command: Command): Promise<void> => {
  const server = serverOf(command)
  const path = `/v1/projections/${encodeURIComponent(name)}/rebuild`
  const answer = await server.post(path, null, z.looseObject({ name: z.string() }))
  if (wait) await untilRebuilt(server, name)
  if (json) return console.log(JSON.stringify({ ...answer, ...(wait && { state: 'rebuilt' }) }))
  console.log(`${wait ? 'rebuilt' : 'rebuilding'} ${answer.name}; what it found different is in the server's log`)
}

const LOOK_EVERY_MS = 500
/** A rebuild that has ended before the first look is never seen. */
const UNSEEN_LOOKS_MAX = 4
/** A rebuild that failed stays where it was: its server's log says why. */
const STILL_LOOKS_MAX = 120

/** Shows how far it is until nothing is computed aside any more. @throws CommandFailed when it does not get on */
const untilRebuilt = async (server: Client, name: string): Promise<void> => {
  const bar = progressBar('facts')
  let last: number | null = null
  for (let looks = 0; looks < STILL_LOOKS_MAX; looks++) {
    const { items } = await server.get('/v1/projections', ProjectionsAnswer)
    const rebuild = items.find((one) => one.name === name)?.rebuild ?? null
    if (rebuild === null && (last !== null || looks >= UNSEEN_LOOKS_MAX)) return bar.end()
    if (rebuild !== null && rebuild.position !== last) looks = 0
    last = rebuild?.position ?? null
    if (rebuild !== null) bar.at(rebuild.position, rebuild.target)
    await sleep(LOOK_EVERY_MS)
  }
  bar.end()
  throw new CommandFailed(`the rebuild of ${name} does not get on: the server's log says why`)
}

const Repaired = z.object({ common: z.number(), restored: z.number(), kept: z.number(), voided: z.number() })

const repairPartition = async (partition: string, { json }: Json, command: Command): Promise<void> => {
  const path = `/v1/partitions/${encodeURIComponent(partition)}/repair`
  const repaired = await serverOf(command).post(path, null, Repaired)
  if (json) return console.log(JSON.stringify(repaired))
  const { common, restored, kept, voided } = repaired
  console.log(`partition ${partition} stands again: log and archive agree up to step ${common};
  ${restored} sessions restored from the archive, ${kept} facts kept, ${voided} void`)
}
