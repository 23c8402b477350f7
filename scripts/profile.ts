// Runs a benchmark under Node's sampling profiler and prints where the time goes, for each thread that had much to do: npm run profile -- redis
// `redis` is our part of the lifecycle on Redis alone; `http` shows the server, its database's thread and the client.
import { spawnSync } from 'node:child_process'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { z } from 'zod'

const ROOT = join(import.meta.dirname, '..')
const ROWS = 20
/** A thread that was busy for less than this shows its start and little else. */
const BUSY_S_MIN = 2
/** By what a thread is told from the others: the first of these that it ran. */
const THREADS = ['embedded-thread.ts', 'bench/processes/http-server.ts', 'bench/run.ts']

const Frame = z.object({ functionName: z.string(), url: z.string(), lineNumber: z.number() })
type Frame = z.infer<typeof Frame>

const Profile = z.object({
  nodes: z.array(z.object({ id: z.number(), callFrame: Frame })),
  samples: z.array(z.number()),
  timeDeltas: z.array(z.number()),
})
type Profile = z.infer<typeof Profile>

const folder = await mkdtemp(join(tmpdir(), 'profile-'))
try {
  const args = ['--cpu-prof', `--cpu-prof-dir=${folder}`, join(ROOT, 'bench/run.ts'), ...process.argv.slice(2)]
  const { status } = spawnSync(process.execPath, args, { stdio: 'inherit' })
  process.exitCode = status ?? 1
  for (const file of (await readdir(folder)).toSorted()) {
    const profile = Profile.parse(JSON.parse(await readFile(join(folder, file), 'utf8')))
    const busyS = [...timesBy(profile, placeOf).values()].reduce((sum, time) => sum + time, 0) / 1e6
    if (busyS < BUSY_S_MIN) continue
    console.log(`\n${nameOf(profile)}: busy for ${busyS.toFixed(1)} s`)
    print('by file or package', timesBy(profile, placeOf))
    print('by function', timesBy(profile, functionOf))
  }
} finally {
  await rm(folder, { recursive: true, force: true })
}

function nameOf({ nodes }: Profile): string {
  return THREADS.find((thread) => nodes.some(({ callFrame }) => callFrame.url.endsWith(thread))) ?? 'a child'
}

/** Self time by place in µs, without the time in which the thread was idle. */
function timesBy(profile: Profile, placeIn: (frame: Frame) => string): Map<string, number> {
  const places = new Map(profile.nodes.map(({ id, callFrame }) => [id, placeIn(callFrame)]))
  const times = new Map<string, number>()
  for (const [index, sample] of profile.samples.entries()) {
    const place = places.get(sample) ?? 'unknown'
    if (place !== '(idle)') times.set(place, (times.get(place) ?? 0) + (profile.timeDeltas[index] ?? 0))
  }
  return times
}

/** The places that took most, as parts of all. */
function print(title: string, times: ReadonlyMap<string, number>): void {
  const total = [...times.values()].reduce((sum, time) => sum + time, 0)
  console.log(`\nself time ${title}`)
  for (const [place, time] of [...times].toSorted((a, b) => b[1] - a[1]).slice(0, ROWS)) {
    console.log(`${((100 * time) / total).toFixed(1).padStart(5)} %  ${place}`)
  }
}

/** Our own code by file, packages by name, Node by module; the engine's own work by its name. */
function placeOf({ functionName, url }: Frame): string {
  if (url === '') return functionName || '(engine)'
  if (url.startsWith('node:')) return url
  const path = new URL(url).pathname
  const [, packageName] = path.match(/node_modules\/((?:@[^/]+\/)?[^/]+)/) ?? []
  return packageName ?? path.replace(`${ROOT}/`, '')
}

function functionOf(frame: Frame): string {
  const place = placeOf(frame)
  return frame.url === '' ? place : `${frame.functionName || '(anonymous)'}  ${place}:${frame.lineNumber + 1}`
}
