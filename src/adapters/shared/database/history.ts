import { parseFact } from '../../../events/fact.ts'
import { SessionId } from '../../../events/ids.ts'
import type { StepRef } from '../../../machines/ports/event-log.ts'
import type { Admission, History } from '../../../machines/ports/history.ts'
import { archivedSteps } from './archived-step.ts'
import type { CallFunction } from './functions.ts'

/** The history behind the database's functions: archive and fences lie in one database, so that a fence holds for refunds. */
export const databaseHistory = (call: CallFunction): History => ({
  admit: async ({ log, partition, epoch, head }) =>
    (await call('wearon_admit', {
      p_log: log,
      p_partition: partition,
      p_epoch: epoch.number,
      p_token: epoch.token,
      p_head: head,
    })) as Admission,
  knows: async (ids) => {
    const known = (await call('wearon_knows', { p_sessions: ids })) as string[]
    return new Set(known.map((id) => SessionId.parse(id)))
  },
  head: async (partition) => {
    const heads = (await call('wearon_archive_heads', {})) as (StepRef & { partition: number })[]
    return heads.find((head) => head.partition === partition) ?? null
  },
  step: async (partition, number) =>
    ((await call('wearon_step', { p_partition: partition, p_number: number })) ?? null) as StepRef | null,
  sessionsAfter: async (partition, number, { after, limit }) => {
    const histories = (await call('wearon_sessions_after', {
      p_partition: partition,
      p_number: number,
      p_after: after,
      p_limit: limit,
    })) as unknown[][]
    const facts = histories.map((history) => history.map(parseFact))
    return new Map(facts.flatMap((history) => (history[0] ? [[history[0].sessionId, history]] : [])))
  },
  mend: async ({ log, partition, epoch }, { archived, steps, head }) => {
    const mended = await call('wearon_mend', {
      p_log: log,
      p_partition: partition,
      p_epoch: epoch.number,
      p_token: epoch.token,
      p_archived: archived?.id ?? null,
      p_steps: archivedSteps(steps),
      p_head: { number: head.number, id: head.id },
    })
    return mended === true ? 'mended' : 'moved'
  },
})
