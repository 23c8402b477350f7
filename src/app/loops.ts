import type { Config } from '../config.ts'
import type { Clock, Environment } from '../machines/ports/environment.ts'
import type { PauseWatch } from '../machines/runtime/pause-watch.ts'
import { type Loop, supervise } from '../machines/runtime/supervisor.ts'
import { archiveJournals } from '../projections/archive.ts'
import { BacklogWatch, type HoldsPartitions } from '../projections/backlog-watch.ts'
import { BooksWatch } from '../projections/books-watch.ts'
import { forgetExpired } from '../projections/erase-some.ts'
import { withFreshFacts } from '../projections/fresh-facts.ts'
import { HandBack } from '../projections/hand-back.ts'
import { LagWatch } from '../projections/lag-watch.ts'
import { OpenWatch } from '../projections/open-watch.ts'
import { OrphanSweep } from '../projections/orphan-sweep.ts'
import { project, retrySetAside, SERVER_BATCH_FACTS } from '../projections/project.ts'
import type { Projection } from '../projections/projection.ts'
import { PromiseWatch } from '../projections/promise-watch.ts'
import { ReaderWatch } from '../projections/reader-watch.ts'
import { refunds } from '../projections/refunds.ts'
import { sessions } from '../projections/sessions.ts'
import type { Opened } from './open.ts'

/** Every projection that follows the archive. */
export const projections: readonly Projection[] = [sessions, refunds]

/** Within one process no notification is lost; each look costs an idle process CPU time. */
const ALONE_POLL_MS = 30_000
/** An embedded database does one thing at a time: each round of a loop costs it some milliseconds, however few the facts. */
const ALONE_PAUSE_MS = 100
/** How often a loop that does its work rarely shows that it turns. */
const BEAT_MS = 30_000
const SWEEP_EVERY_MS = 600_000
const LETTERS_EVERY_MS = 30_000
const LAG_EVERY_MS = 15_000
const READERS_EVERY_MS = 60_000
const OPEN_EVERY_MS = 15_000
const PROMISES_EVERY_MS = 60_000
const BOOKS_EVERY_MS = 300_000
const ORPHANS_EVERY_MS = 300_000
/** How soon every process heeds what another one's operator paused. */
const PAUSES_EVERY_MS = 2_000
/** Sessions are released only while the list is paused; a release that came late is seen to all the same. */
const HAND_BACK_MS = 500
const HAND_BACK_IDLE_MS = 15_000
/** Signed URLs live for 6 hours (CONTRACT section 4); a little longer, so that no valid one meets a missing file. */
const OBJECT_MAX_MS = 6.5 * 3_600_000
/** A repeat of a publication gets its first answer for this long. */
const ACCEPTANCE_MAX_MS = 7 * 86_400_000

/** What keeps tables and folder up to date: the role `projector`. */
export const projectorLoops = (
  { log, store, objects, folder, oldestWaiting: waiting, alone }: Opened,
  config: Pick<Config, 'orphans' | 'store'>,
  pauses: Pick<PauseWatch, 'holdsList'>,
  env: Environment,
  signal: AbortSignal,
): Loop[] => {
  const { tables, acceptances } = store
  const archive = withFreshFacts(store.archive)
  const names = projections.map(({ name }) => name)
  const books = new BooksWatch(store.queries, env)
  // While the list is paused another worker may take from it: a row without a task is then none of ours to judge.
  const oldestWaiting = async () => (pauses.holdsList() ? 0 : waiting())
  const orphans = new OrphanSweep({ orphans: store.orphans, log, objects, oldestWaiting, env, mode: config.orphans })
  const lag = new LagWatch(names, store, env)
  const readers = new ReaderWatch(log.readers, env)
  const open = new OpenWatch(store.queries, env)
  const promises = new PromiseWatch(store, env)
  const pace = {
    ...(alone && { pollMs: ALONE_POLL_MS, pauseMs: ALONE_PAUSE_MS }),
    ...(config.store !== 'embedded' && { batchFacts: SERVER_BATCH_FACTS }),
  }
  const options = (alive: () => void, stop: AbortSignal) => ({ environment: env, alive, signal: stop, ...pace })
  const loop = (name: string, run: Parameters<typeof supervise>[1]) => supervise(name, run, env, signal)
  return [
    loop('archive', (alive, stop) => archiveJournals(log, archive, options(alive, stop))),
    ...projections.map((one) =>
      loop(one.name, (alive, stop) => project(one, { archive, tables }, options(alive, stop))),
    ),
    loop('set-aside', (alive, stop) => retrySetAside(names, tables, options(alive, stop))),
    loop('lag', (alive, stop) => every(LAG_EVERY_MS, env.clock, alive, stop, () => lag.look())),
    loop('open', (alive, stop) => every(OPEN_EVERY_MS, env.clock, alive, stop, () => open.look())),
    loop('promises', (alive, stop) => every(PROMISES_EVERY_MS, env.clock, alive, stop, () => promises.look())),
    loop('readers', (alive, stop) => every(READERS_EVERY_MS, env.clock, alive, stop, () => readers.look())),
    loop('orphans', (alive, stop) => every(ORPHANS_EVERY_MS, env.clock, alive, stop, () => orphans.look())),
    loop('books', (alive, stop) => every(BOOKS_EVERY_MS, env.clock, alive, stop, () => books.look(BOOKS_EVERY_MS))),
    loop('letters', (alive, stop) =>
      every(LETTERS_EVERY_MS, env.clock, alive, stop, async () => {
        const { dropped, ...states } = await log.letters.counts()
        for (const [state, count] of Object.entries(states)) env.meter.gauge('dead_letters', count, { state })
        env.meter.gauge('dead_letters_dropped', dropped)
      }),
    ),
    loop('sweep', (alive, stop) =>
      every(SWEEP_EVERY_MS, env.clock, alive, stop, async () => {
        await folder?.sweep(OBJECT_MAX_MS)
        await forgetExpired(store.erasure)
        await acceptances.prune(new Date(env.clock.now() - ACCEPTANCE_MAX_MS).toISOString())
      }),
    ),
  ]
}

/** What keeps this process to the pauses of the fleet. */
export const pauseLoop = (
  watch: PauseWatch,
  { alone }: Pick<Opened, 'alone'>,
  env: Environment,
  signal: AbortSignal,
): Loop =>
  supervise(
    'pauses',
    (alive, stop) => every(alone ? ALONE_POLL_MS : PAUSES_EVERY_MS, env.clock, alive, stop, () => watch.look()),
    env,
    signal,
  )

/** What shows how far the partitions of this process are behind: the role `worker`. */
export const backlogLoop = (
  worker: HoldsPartitions,
  { store }: Pick<Opened, 'store'>,
  env: Environment,
  signal: AbortSignal,
): Loop => {
  const watch = new BacklogWatch(worker, store.archive, env)
  return supervise(
    'backlog',
    (alive, stop) => every(LAG_EVERY_MS, env.clock, alive, stop, () => watch.look()),
    env,
    signal,
  )
}

/** What gives released tasks back to the producers' list; null without a list. */
export const handBackLoop = (
  watch: PauseWatch,
  { log, store, producersList: list }: Opened,
  env: Environment,
  signal: AbortSignal,
): Loop | null => {
  if (list === null) return null
  const handBack = new HandBack({ handbacks: store.handbacks, platform: store.platform, list, log, env })
  const run = async (alive: () => void, stop: AbortSignal) => {
    while (!stop.aborted) {
      alive()
      const seen = await handBack.look()
      await env.clock.sleep(seen > 0 || watch.holdsList() ? HAND_BACK_MS : HAND_BACK_IDLE_MS, stop)
    }
  }
  return supervise('hand-back', run, env, signal)
}

/** Does the work now and then until the signal aborts, and shows in between that it turns. */
const every = async (
  ms: number,
  clock: Clock,
  alive: () => void,
  signal: AbortSignal,
  work: () => Promise<void>,
): Promise<void> => {
  while (!signal.aborted) {
    await work()
    for (const until = clock.now() + ms; !signal.aborted && clock.now() < until; ) {
      alive()
      await clock.sleep(Math.min(BEAT_MS, until - clock.now()), signal)
    }
  }
}
