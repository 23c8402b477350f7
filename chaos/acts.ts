import { assertNever } from '../src/events/assert-never.ts'
import type { Chance } from './chance.ts'

/** Processes at first, and one more place for the one that joins. */
export const WORKERS = 3
export const SLOTS = WORKERS + 1
const JOINER = WORKERS

/** One thing that befalls the system. Slots name processes. */
export type Act =
  | { readonly kind: 'kill'; readonly slot: number; readonly downMs: number }
  | { readonly kind: 'freeze'; readonly slot: number; readonly forMs: number }
  | { readonly kind: 'cut' | 'hold'; readonly way: 'log' | 'database'; readonly slot: number }
  | { readonly kind: 'restart'; readonly server: 'log' | 'database'; readonly graceful: boolean }
  | { readonly kind: 'lose last second' }
  | { readonly kind: 'roll' }
  | { readonly kind: 'join' | 'leave'; readonly slot: number }

/** About how long each lasts until everything works again, ms: orders are spread over the sum. */
const LASTS_MS: Readonly<Record<Act['kind'], number>> = {
  kill: 6_000,
  freeze: 9_000,
  cut: 1_000,
  hold: 5_000,
  restart: 3_000,
  'lose last second': 6_000,
  roll: 9_000,
  join: 2_000,
  leave: 2_000,
}

/** The faults of one seed, in order. `few`: a run of some seconds. @param databaseApart whether log and tables are two servers. */
export const planActs = (chance: Chance, extent: 'few' | 'all', databaseApart: boolean): Act[] => {
  const slot = () => chance.between(0, WORKERS - 1)
  const kill = (): Act => ({ kind: 'kill', slot: slot(), downMs: chance.between(300, 2_000) })
  const few: Act[] = [
    kill(),
    { kind: 'cut', way: 'log', slot: slot() },
    { kind: 'cut', way: 'database', slot: slot() },
    { kind: 'lose last second' },
  ]
  if (extent === 'few') return chance.shuffled(few)
  const databaseDies: Act[] = databaseApart ? [{ kind: 'restart', server: 'database', graceful: false }] : []
  const acts = chance.shuffled<Act>([
    ...few,
    kill(),
    // Longer than a lease, so that the others take over while it stands.
    { kind: 'freeze', slot: slot(), forMs: chance.between(7_000, 9_000) },
    { kind: 'hold', way: 'log', slot: slot() },
    { kind: 'restart', server: 'log', graceful: true },
    { kind: 'restart', server: 'log', graceful: false },
    ...databaseDies,
    { kind: 'roll' },
    { kind: 'join', slot: JOINER },
    { kind: 'leave', slot: JOINER },
  ])
  return joinFirst(acts)
}

export const lastsMs = (acts: readonly Act[]): number => acts.reduce((sum, { kind }) => sum + LASTS_MS[kind], 0)

/** One line for people. */
export const describeAct = (act: Act): string => {
  switch (act.kind) {
    case 'kill':
      return `kill -9 of w${act.slot}`
    case 'freeze':
      return `w${act.slot} stopped for ${act.forMs} ms`
    case 'cut':
      return `w${act.slot}'s connections to the ${act.way} cut`
    case 'hold':
      return `w${act.slot}'s connections to the ${act.way} half-open`
    case 'restart':
      return `${act.server} server ${act.graceful ? 'restarted' : 'killed and started'}`
    case 'lose last second':
      return "the log's server loses its last second"
    case 'roll':
      return 'rolling restart'
    case 'join':
    case 'leave':
      return `w${act.slot} ${act.kind}s`
    default:
      return assertNever(act)
  }
}

const joinFirst = (acts: readonly Act[]): Act[] => {
  const places = acts.flatMap(({ kind }, index) => (kind === 'join' || kind === 'leave' ? [index] : []))
  const [join, leave] = acts.filter(({ kind }) => kind === 'join' || kind === 'leave').toSorted(byKind)
  return acts.map((act, index) => {
    if (index === places[0]) return join ?? act
    return index === places[1] ? (leave ?? act) : act
  })
}

const byKind = (a: Act, b: Act): number => a.kind.localeCompare(b.kind)
