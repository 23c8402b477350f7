import { type Command, InvalidArgumentError, Option } from 'commander'
import { readConfig } from '../../config.ts'
import { sessionTable } from '../../machines/compile.ts'
import { TooManyOpen } from '../../machines/refold.ts'
import { DumpUnreadable, type Recorded } from '../../projections/fact-dump.ts'
import { type Finding, type ReplayOptions, type ReplayReport, replayAll } from '../../projections/replay.ts'
import { archivedFacts, ordinalBefore, rowCheck } from '../../projections/replay-archive.ts'
import { CommandFailed } from '../client.ts'
import { openDump, writeDump } from '../dump-file.ts'
import { wholeNumber } from '../numbers.ts'
import { type Json, printsJson } from '../options.ts'
import { progressBar } from '../progress.ts'
import { styled, tableOf } from '../text.ts'

const ARCHIVE = 'archive'

interface ReplayCommand extends Json {
  readonly against: string
  readonly record?: string
  readonly since?: string
  readonly sample: number
}

/** `wearon replay`: the gate before a deployment. */
export const addReplay = (program: Command): void => {
  const replay = program
    .command('replay')
    .description("fold recorded facts through this version's machine; exit 1 when a session would change")
    .option('--against <recorded>', `${ARCHIVE}: in the database of the environment; or a dump, - for stdin`, ARCHIVE)
    .option(
      '--record <file>',
      'also write the facts, and where this version leaves each session, as a dump, - for stdout',
    )
    .addOption(
      new Option('--since <time>', 'only sessions that began since then: a day, a time, or an age (7d)').argParser(
        moment,
      ),
    )
    .addOption(new Option('--sample <number>', 'one session of so many').default(1, 'all').argParser(wholeNumber))
  printsJson(replay).action(replayRecorded)
}

const replayRecorded = async (options: ReplayCommand): Promise<void> => {
  const report = options.against === ARCHIVE ? await replayDatabase(options) : await replayDump(options)
  if (report.findings.length > 0) process.exitCode = 1
  // A dump on stdout is for a program: what is said of it goes beside it.
  const print = options.record === '-' ? console.error : console.log
  print(options.json ? JSON.stringify(report) : reportText(report))
}

const replayDatabase = async ({ record, since, sample }: ReplayCommand): Promise<ReplayReport> => {
  // As in `start`: they bring databases along.
  const { openEnvironment } = await import('../../app/environment.ts')
  const { openRecorded } = await import('../../app/open-recorded.ts')
  const env = openEnvironment('silent')
  const opened = await openRecorded(readConfig(), env)
  const { store } = opened
  try {
    const head = await store.archive.head()
    const from = since === undefined ? 0 : await ordinalBefore(store.archive, since, head)
    const facts = archivedFacts(store.archive, from, head)
    const options = { table: sessionTable, whole: from === 0, sample, check: rowCheck(store, sessionTable, env.clock) }
    if (record === undefined) return await watched(facts, head - from, options)
    const dump = await writeDump(record, head - from)
    const report = await watched(facts, head - from, { ...options, onFact: (one) => dump.fact(one) })
    await dump.end()
    return report
  } finally {
    await opened.close()
  }
}

const replayDump = async ({ against, record, since, sample }: ReplayCommand): Promise<ReplayReport> => {
  if (record !== undefined || since !== undefined) throw new CommandFailed('--record and --since are for the archive')
  try {
    const { factsMax, recorded } = await openDump(against)
    return await watched(recorded, factsMax, { table: sessionTable, whole: true, sample })
  } catch (error) {
    throw error instanceof DumpUnreadable ? new CommandFailed(`${against}: ${error.message}`) : error
  }
}

const watched = async (
  recorded: AsyncIterable<Recorded>,
  total: number,
  options: ReplayOptions,
): Promise<ReplayReport> => {
  const bar = progressBar('facts')
  try {
    return await replayAll(recorded, { ...options, onProgress: (facts) => bar.at(facts, total) })
  } catch (error) {
    throw error instanceof TooManyOpen ? new CommandFailed(error.message) : error
  } finally {
    bar.end()
  }
}

const reportText = ({ facts, sessions, findings, stopped }: ReplayReport): string => {
  const folded = `${sessions} sessions folded from ${facts} facts`
  if (findings.length === 0) return `${folded}: ${styled('green', 'none would change')}`
  const rows = findings.map((one) => (one.kind === 'unreadable' ? [one.id, one.why] : [one.sessionId, inWords(one)]))
  const verdict = stopped ? 'stopped there: there are more' : styled('red', `${findings.length} would change`)
  return `${tableOf(rows)}\n${folded}: ${verdict}`
}

const inWords = (finding: Exclude<Finding, { kind: 'unreadable' }>): string => {
  const { was, now, seq } = finding
  if (finding.kind === 'row_differs') return `its row says ${was}, and its ${seq} facts lead to ${now}`
  const { fact, kind } = finding
  if (kind === 'gap') return `fact ${seq} (${fact}) does not follow: one before it is missing`
  if (kind === 'refused') return `fact ${seq} (${fact}) is refused in ${now ?? 'an ended session'}`
  return `fact ${seq} (${fact}) led to ${was ?? '-'}, and would lead to ${now ?? '-'}`
}

const UNIT_MS = { h: 3_600_000, d: 86_400_000 } as const

/** A day, a time, or how long ago: `7d`, `12h`. */
const moment = (text: string): string => {
  const { number = '', unit = '' } = /^(?<number>\d{1,5})(?<unit>[dh])$/.exec(text)?.groups ?? {}
  const ms = unit === '' ? Date.parse(text) : Date.now() - Number(number) * UNIT_MS[unit as keyof typeof UNIT_MS]
  if (Number.isNaN(ms))
    throw new InvalidArgumentError('A day (2026-11-22), a time (2026-11-22T10:00:00Z) or an age (7d, 12h) is needed.')
  return new Date(ms).toISOString()
}
