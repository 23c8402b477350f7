import type { Fact } from '../../events/fact.ts'
import type { SessionId } from '../../events/ids.ts'
import { isoTime } from '../../events/text.ts'
import { FORMAT, type PartitionLease, type Step, type StepRef } from '../ports/event-log.ts'
import { replay, type Snapshot, type Tombstone } from '../snapshot.ts'
import type { WorkerContext } from './worker-context.ts'

type RepairContext = Pick<WorkerContext, 'log' | 'history' | 'env' | 'table'>

const JOURNAL_PAGE = 10_000
/**
 * Sessions that are read from the archive and stand again at once: a log that was lost as a whole lost all of them, and hosted
 * logs refuse large requests.
 */
const SESSIONS_PAGE = 250

/** What a repair did, for the operator who asked for it. */
export interface Repaired {
  readonly partition: number
  /** The last step that log and archive have in common. */
  readonly common: number
  /** Sessions that the log had forgotten and that stand again as the archive knows them. */
  readonly restored: number
  /** Facts that the log wrote since it lost its tail: kept, for sessions that had lost nothing; void for the others. */
  readonly kept: number
  readonly voided: number
  /** The step that the partition goes on from. */
  readonly head: StepRef
}

/** Another repair came first, or a late write to the archive. The partition is taken up anew, and is damaged still or whole. */
class RepairOvertaken extends Error {
  override readonly name = 'RepairOvertaken'

  constructor(partition: number) {
    super(`the archive of partition ${partition} moved while it was repaired`)
  }
}

/**
 * Brings a log that lost its tail back in line with the archive. The archive stands: people and the ledger have seen it. A
 * session whose archived facts the log has lost stands as archived, and what the log let it do since is void: a refund or an
 * image that came of it is found again by the effects. All other facts that the log wrote since stay and are archived.
 * Repeating a repair that broke off changes nothing more.
 */
export const repair = async (
  lease: PartitionLease,
  archived: StepRef | null,
  context: RepairContext,
): Promise<Repaired> => {
  const { log, history, env } = context
  const claim = { log: await log.identity(), partition: lease.partition, epoch: lease.epoch }
  const journal = await readJournal(lease, context)
  const common = await lastCommonStep(journal, archived, lease.partition, context)
  const lost = await restore(lease, common, context)
  const since = journal.filter((step) => step.number > common)
  const survivors = since.map((step) => ({ ...step, facts: step.facts.filter((fact) => !lost.has(fact.sessionId)) }))
  const head = { number: Math.max(archived?.number ?? 0, lease.head?.number ?? 0) + 1, id: env.newId() }
  const step: Step = {
    ...head,
    format: FORMAT,
    partition: lease.partition,
    previous: lease.head?.id ?? null,
    epoch: lease.epoch.number,
    at: isoTime(env.clock.now()),
    facts: [],
  }
  await lease.commit({ head: step.previous, step, inbox: null, snapshots: [], tombstones: [], deadLetters: [] })
  if ((await history.mend(claim, { archived, steps: survivors, head })) === 'moved')
    throw new RepairOvertaken(lease.partition)
  const count = (steps: readonly Step[]) => steps.reduce((sum, { facts }) => sum + facts.length, 0)
  const kept = count(survivors)
  return { partition: lease.partition, common, restored: lost.size, kept, voided: count(since) - kept, head }
}

/**
 * Lets the sessions that the log lost facts of stand as the archive has them; answers them. Without a step: the partition is
 * damaged until its new head is known to both, so nobody works on what is restored in part.
 */
const restore = async (
  lease: PartitionLease,
  common: number,
  { history, table }: RepairContext,
): Promise<ReadonlySet<SessionId>> => {
  const lost = new Set<SessionId>()
  for (let after: SessionId | null = null; ; ) {
    const page: ReadonlyMap<SessionId, Fact[]> = await history.sessionsAfter(lease.partition, common, {
      after,
      limit: SESSIONS_PAGE,
    })
    const snapshots: Snapshot[] = []
    const tombstones: Tombstone[] = []
    for (const [id, facts] of page) {
      const session = replay(table, id, facts)
      if (table.states.get(session.state)?.closed) tombstones.push({ id, seq: session.seq, end: session.state })
      else snapshots.push(session)
      lost.add(id)
      after = id
    }
    const head = lease.head?.id ?? null
    if (page.size > 0) await lease.commit({ head, step: null, inbox: null, snapshots, tombstones, deadLetters: [] })
    if (page.size < SESSIONS_PAGE) return lost
  }
}

const readJournal = async (lease: PartitionLease, { log }: RepairContext): Promise<Step[]> => {
  const steps: Step[] = []
  for (let after = 0; ; ) {
    const page = await log.journal(new Map([[lease.partition, after]]), JOURNAL_PAGE)
    const last = page.at(-1)
    if (last === undefined) return steps
    steps.push(...page)
    after = last.number
  }
}

/** The number of the last step that both have; 0 when they share none, as with a log that was replaced. */
const lastCommonStep = async (
  journal: readonly Step[],
  archived: StepRef | null,
  partition: number,
  { history }: RepairContext,
): Promise<number> => {
  for (const step of journal.toReversed()) {
    if (step.number > (archived?.number ?? 0)) continue
    const known = await history.step(partition, step.number)
    if (known?.id === step.id) return step.number
  }
  const [first] = journal
  if (first === undefined || first.previous === null) return 0
  const before = await history.step(partition, first.number - 1)
  return before?.id === first.previous ? before.number : 0
}
