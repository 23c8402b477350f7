import type { Command } from 'commander'
import { z } from 'zod'
import { ProjectionsAnswer } from '../answers.ts'
import { type Json, talksToServer } from '../options.ts'
import { serverOf } from '../server.ts'
import { tableOf } from '../text.ts'

/** What operators look at and mend: projections, damaged partitions. */
export const addOperating = (program: Command): void => {
  const projections = program.command('projections').description('the tables that people query')
  talksToServer(projections.command('status').description('how far each is')).action(showProjections)
  talksToServer(
    projections.command('rebuild <name>').description('compute it anew beside the live rows, and correct what differs'),
  ).action(rebuildProjection)
  talksToServer(
    program.command('repair <partition>').description('bring a damaged partition back in line with the archive'),
  ).action(repairPartition)
}

const showProjections = async ({ json }: Json, command: Command): Promise<void> => {
  const { head, items } = await serverOf(command).get('/v1/projections', ProjectionsAnswer)
  if (json) return console.log(JSON.stringify({ head, items }))
  const rows = items.map((one) => [one.name, one.position, one.lag_facts, one.set_aside, one.gone].map(String))
  console.log(`the archive holds ${head} facts`)
  console.log(tableOf([['projection', 'position', 'behind', 'set aside', 'rows gone'], ...rows]))
}

const rebuildProjection = async (name: string, { json }: Json, command: Command): Promise<void> => {
  const path = `/v1/projections/${encodeURIComponent(name)}/rebuild`
  const answer = await serverOf(command).post(path, null, z.looseObject({ name: z.string() }))
  console.log(
    json ? JSON.stringify(answer) : `rebuilding ${answer.name}; what it found different is in the server's log`,
  )
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
