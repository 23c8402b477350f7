import { z } from 'zod'
import { ReconciliationAnswer } from '../src/cli/answers.ts'
import { Client } from '../src/cli/client.ts'
import type { Violation } from '../src/projections/invariants.ts'
import { readEvidence } from '../test/support/evidence.ts'
import { describeAct } from './acts.ts'
import { judge } from './judge.ts'
import type { Operator } from './operator.ts'
import type { Producers } from './producers.ts'
import type { Readers } from './readers.ts'
import type { PlannedSession } from './sessions.ts'
import type { Played, Stage } from './stage.ts'
import type { World } from './world.ts'

/** What the promise says of a kill -9. */
const RECOVERY_MS = 10_000

interface Run {
  readonly world: World
  readonly stage: Stage
  readonly producers: Producers
  readonly readers: Readers
  readonly operator: Operator
  readonly sessions: readonly PlannedSession[]
  readonly played: readonly Played[]
  /** Whether everything ended in time. */
  readonly rested: boolean
}

interface Verdict {
  readonly violations: readonly Violation[]
  readonly ledgerLost: number
  readonly ends: Readonly<Record<string, number>>
  readonly tries: number
  readonly refunds: number
  readonly deadLetters: number
}

/** Stops the processes in order and judges what was seen of the run. */
export const verdictOn = async (run: Run): Promise<Verdict> => {
  const { world, stage, producers, readers, sessions, played } = run
  const { fleet, ownership, provider, servers } = world
  const client = new Client(fleet.url())
  const { balanced, classes } = await client.get('/v1/reconciliation', ReconciliationAnswer)
  const letters = await client.get('/v1/dead-letters?limit=200', z.looseObject({ items: z.array(z.unknown()) }))
  const deadLetters = letters.items.length
  await fleet.stopAll()
  const shown = await readEvidence(servers.sql, new Set(producers.acknowledged.keys()))
  const { tries } = provider
  const seen = { sessions, shown, tries, readings: readers.readings, committed: ownership.committed }
  const judged = judge({ ...seen, silences: fleet.silences, lostAt: stage.lostAt })
  const forgotten = stage.lostAt === null || !servers.oneServer ? [] : lostRefunds(judged, classes)
  return {
    violations: [
      ...judged.filter((one) => !forgotten.includes(one)),
      ...(balanced || forgotten.length > 0 ? [] : [broken('the reconciliation', JSON.stringify(classes))]),
      ...ranBadly(run, deadLetters),
      ...slow(played),
    ],
    ledgerLost: forgotten.length,
    ends: endsOf(shown.facts.values()),
    tries: tries.length,
    refunds: shown.refunds.length,
    deadLetters,
  }
}

/**
 * A ledger that loses a second loses refunds that a journal knows of; they are promised to stand in the reconciliation by
 * name. These, and only when nothing else does.
 */
const lostRefunds = (judged: readonly Violation[], classes: Readonly<Record<string, number>>): Violation[] => {
  const forgotten = judged.filter(({ what }) => what === 'it says refunded, and the ledger knows no refund')
  const { matched: _, missing = 0, ...others } = classes
  const named = missing === forgotten.length && Object.values(others).every((count) => count === 0)
  return named ? forgotten : []
}

const ranBadly = ({ stage, world, operator, producers, rested }: Run, deadLetters: number): Violation[] => {
  const found = [...world.fleet.exits, ...stage.stuck]
  if (!rested) found.push('it never came to rest')
  if (producers.ordersLost > 0 && !(stage.lostAt !== null && world.servers.oneServer))
    found.push(`${producers.ordersLost} orders were gone from a database that had lost nothing`)
  if (stage.lostAt !== null) return found.map((what) => broken('the run', what))
  const repaired = operator.repaired.length
  if (repaired > 0) found.push(`${repaired} partitions were damaged, and the log had lost nothing`)
  if (deadLetters < producers.poison)
    found.push(`${producers.poison} messages were poison, ${deadLetters} dead letters`)
  return found.map((what) => broken('the run', what))
}

const slow = (played: readonly Played[]): Violation[] =>
  played.flatMap(({ act, recoveriesMs }) => {
    const worst = Math.max(0, ...recoveriesMs)
    if (act.kind !== 'kill' || worst <= RECOVERY_MS) return []
    return [broken(describeAct(act), `a partition moved again only after ${worst} ms`)]
  })

const broken = (about: string, what: string): Violation => ({ promise: 'nothing accepted is lost', about, what })

const endsOf = (histories: Iterable<readonly { readonly type: string }[]>): Record<string, number> => {
  const ends: Record<string, number> = {}
  for (const facts of histories) {
    const end = facts.at(-1)?.type ?? 'nothing'
    ends[end] = (ends[end] ?? 0) + 1
  }
  return ends
}
