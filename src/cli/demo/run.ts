import { createWriteStream } from 'node:fs'
import { copyFile, mkdir, mkdtemp, rm } from 'node:fs/promises'
import { join, relative, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { rehearse } from '../../adapters/preview/rehearsal.ts'
import { openEnvironment } from '../../app/environment.ts'
import type { Opened } from '../../app/open.ts'
import { type System, startSystem } from '../../app/system.ts'
import { readConfig } from '../../config.ts'
import { Client } from '../client.ts'
import { seconds, styled } from '../text.ts'
import { type Board, boardFor, noBoard } from './board.ts'
import { loadPictures, type Pictures } from './pictures.ts'
import { newPlot, type Plot } from './plot.ts'
import { report } from './report.ts'
import { playProducers, readOutcome } from './stage.ts'
import { differences, type Outcome } from './verdict.ts'
import { Watch } from './watch.ts'

/** Fewer than the default start sooner. */
const PARTITIONS = '16'
const RUNS = '.wearon/demo'
const IMAGES = 'demo-output'
/** Far more than it takes; what has not ended by then is told as a difference. */
const DEADLINE_MS = 60_000

export interface DemoOptions {
  readonly person?: string
  readonly garment?: string
  /** Leaves the data folder, so that a server can be started on it. */
  readonly keep?: boolean
  /** Prints nothing. */
  readonly quiet?: boolean
}

/** What became of the demo. */
export interface DemoResult {
  readonly ms: number
  readonly sessions: readonly { readonly title: string; readonly session_id: string; readonly state: string | null }[]
  /** Files with images, by session. */
  readonly images: Readonly<Record<string, string>>
  /** What differs from what must have become of it; none when all is well. */
  readonly differences: readonly string[]
  /** The data folder, where it was kept. */
  readonly data_dir: string | null
}

/** Plays the plot on a system of its own, and prints what became of it. */
export const runDemo = async (options: DemoOptions, plot: Plot = newPlot()): Promise<DemoResult> => {
  const startedAt = Date.now()
  const say = options.quiet ? () => {} : (text: string) => console.log(text)
  const pictures = await loadPictures(options)
  const folder = await freshFolder()
  say(styled('bold', 'WearOn: try-on sessions, from task to picture'))
  say(styled('gray', `  starts an embedded database in ${relative('', folder)} ...`))
  const system = await startOn(folder, plot)
  try {
    say(styled('gray', `  runs at ${system.url} after ${seconds(Date.now() - startedAt)}; ${pictures.origin}\n`))
    const outcome = await play(plot, system, pictures, options.quiet)
    const images = await keepImages(plot, outcome, system)
    say(report(plot, outcome, images))
    const ms = Date.now() - startedAt
    const found = differences(plot, outcome)
    say(conclusion(plot, found, images.size, ms))
    const sessions = plot.scenes.map(({ title, sessionId }) => {
      const state = outcome.scenes.get(sessionId)?.session.state ?? null
      return { title, session_id: sessionId, state }
    })
    return {
      ms,
      sessions,
      images: Object.fromEntries(images),
      differences: found,
      data_dir: options.keep ? folder : null,
    }
  } finally {
    await system.stop()
    if (options.keep) say(`  Look around: DATA_DIR=${relative('', folder)} PARTITIONS=${PARTITIONS} make dev`)
    else await rm(folder, { recursive: true, force: true })
  }
}

const freshFolder = async (): Promise<string> => {
  await mkdir(RUNS, { recursive: true })
  return mkdtemp(join(resolve(RUNS), 'run-'))
}

/** A system of its own: whatever the environment says, the demo is the same. */
const startOn = (folder: string, { scenes }: Plot): Promise<System> => {
  const config = readConfig({
    DATA_DIR: folder,
    HOST: '127.0.0.1',
    PORT: '0',
    PARTITIONS,
    WORKER_CONCURRENCY: '3',
    POSE: 'off',
  })
  const env = openEnvironment('info', createWriteStream(join(folder, 'server.log')))
  const script = new Map(scenes.map(({ sessionId, refusals = [] }) => [sessionId, refusals]))
  const replace = (opened: Opened) => ({ ...opened, generator: rehearse(opened.generator, script) })
  return startSystem(config, { env, replace })
}

const play = async (plot: Plot, system: System, pictures: Pictures, quiet = false): Promise<Outcome> => {
  const { played } = system.opened
  if (played === null) throw new Error('the demo plays on an embedded database')
  const client = new Client(system.url)
  const stop = new AbortController()
  const watch: Watch = new Watch((fact) => board.fact(fact))
  const board: Board = quiet ? noBoard : boardFor(plot.scenes, () => watch)
  const following = watch.follow(client, stop.signal)
  try {
    await playProducers(plot, system, client, pictures)
    const ids = plot.scenes.map(({ sessionId }) => sessionId)
    await Promise.race([following, watch.closed(ids), sleep(DEADLINE_MS, undefined, { signal: stop.signal })])
    return await readOutcome(plot, client, played.view)
  } finally {
    board.end()
    stop.abort()
    await following.catch(() => {})
  }
}

/** Copies the images to where they are easily found. Answers their files, by session. */
const keepImages = async (plot: Plot, { scenes }: Outcome, { opened }: System): Promise<Map<string, string>> => {
  await rm(IMAGES, { recursive: true, force: true })
  await mkdir(IMAGES, { recursive: true })
  const files = new Map<string, string>()
  for (const [index, { sessionId, title }] of plot.scenes.entries()) {
    const completed = scenes.get(sessionId)?.facts.find((fact) => fact.type === 'generation.completed')
    if (completed === undefined || opened.folder === null) continue
    const file = join(IMAGES, `${index + 1}-${title.toLowerCase().replaceAll(/[^a-z]+/g, '-')}.jpg`)
    await copyFile(opened.folder.fileOf(completed.data.result.path), file)
    files.set(sessionId, file)
  }
  return files
}

const conclusion = (plot: Plot, found: readonly string[], images: number, ms: number): string => {
  if (found.length > 0)
    return `\n${styled('red', 'This did not end as it must:')}\n${found.map((line) => `  ${line}`).join('\n')}`
  return `
${styled('green', `All ${plot.scenes.length} sessions ended as they must`)}, in ${seconds(ms)} with the start of the database.
  ${images} images lie in ${IMAGES}/
  Next: make dev keeps a server running; make demo PERSON=me.jpg GARMENT=shirt.jpg tries it on your own pictures.`
}
